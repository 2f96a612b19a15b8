/**
 * The members of `@asteasolutions/zod-to-openapi` that routing needs. An alias in `wrangler.toml` replaces the package by
 * this module. The deployed Worker needs no generator, because it returns the description that `npm run openapi` wrote.
 */
interface Route {
  readonly method: string;
  readonly path: string;
}

export class OpenAPIRegistry {
  readonly definitions: object[] = [];

  registerPath(route: Route): void {
    this.definitions.push({ type: 'route', route });
  }

  registerComponent(componentType: string, name: string, component: object): void {
    this.definitions.push({ type: 'component', componentType, name, component });
  }
}

/** In the Worker, `openapi(…)` returns the schema unchanged. */
export function extendZodWithOpenApi(zod: { readonly ZodType: { readonly prototype: object } }): void {
  Object.assign(zod.ZodType.prototype, {
    openapi() {
      return this;
    },
  });
}

/** `@hono/zod-openapi` imports it. The Worker never calls it. */
export class OpenApiGeneratorV31 {
  generateDocument(): never {
    throw new TypeError('The description is a file in the deployed Worker: npm run openapi');
  }
}
export { OpenApiGeneratorV31 as OpenApiGeneratorV3 };
export const getOpenApiMetadata = (): object => ({});
