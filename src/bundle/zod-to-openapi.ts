/**
 * What routing needs of `@asteasolutions/zod-to-openapi`: `wrangler.toml` puts it in that package's place. The
 * deployed Worker answers the description that `npm run openapi` wrote, and has no writer of it.
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

/** A schema that is described is the schema that it was. */
export function extendZodWithOpenApi(zod: { readonly ZodType: { readonly prototype: object } }): void {
  Object.assign(zod.ZodType.prototype, {
    openapi() {
      return this;
    },
  });
}

/** Imported by `@hono/zod-openapi`, and not reached. */
export class OpenApiGeneratorV31 {
  generateDocument(): never {
    throw new TypeError('The description is a file in the deployed Worker: npm run openapi');
  }
}
export { OpenApiGeneratorV31 as OpenApiGeneratorV3 };
export const getOpenApiMetadata = (): object => ({});
