import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateFiles, generateOpenApi } from '../../tools/generate/openapi.ts';
import { generateSdkTypes } from '../../tools/generate/sdk-types.ts';

it.each([...(await generateFiles())])('%s is what npm run openapi writes from the schemas', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

it('no other file is public', () => {
  expect(readdirSync('public', { recursive: true }).sort()).toEqual(['docs.html', 'openapi.json']);
});

// The generator of the description gives a named schema the null of its first use, and leaves it out of every use.
it('no named schema accepts null', () => {
  const { components } = JSON.parse(generateOpenApi());
  const named = Object.entries<{ type?: string | string[] }>(components.schemas);
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter(([, { type = [] }]) => [type].flat().includes('null'))).toEqual([]);
});

it('a keyword that the generator of the types does not read -> an error', async () => {
  const description = JSON.parse(generateOpenApi());
  description.components.schemas.Client.properties.name.const = 'Alice';
  await expect(generateSdkTypes(description)).rejects.toThrow(/does not read const/);
});

it('a query that no name belongs to -> an error with its operation', async () => {
  const description = JSON.parse(generateOpenApi());
  description.paths['/runner/bots'].get.parameters[0].schema.maximum = 7;
  await expect(generateSdkTypes(description)).rejects.toThrow(/^listRunnerBots: its query has no name/);
});
