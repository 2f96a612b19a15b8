import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PROBLEM_CODES, Problem, problemResponse } from '../src/problem.ts';

it('each problem code is defined once, in one file of src/problems', () => {
  const defined = globSync('src/problems/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ {2}(\w+): \[/gm)].map(([, code]) => code),
  );
  expect(defined.length).toBeGreaterThan(50);
  expect(defined.toSorted()).toEqual(PROBLEM_CODES.toSorted());
});

it('each problem has a title without a full stop and a detail with one', async () => {
  for (const code of PROBLEM_CODES) {
    const { title, detail } = (await problemResponse(new Problem(code), '').json()) as Record<string, string>;
    expect({ code, title }).toEqual({ code, title: expect.stringMatching(/^[A-Z].*[^.]$/) });
    expect({ code, detail }).toEqual({ code, detail: expect.stringMatching(/^[A-Z].*\.$/) });
  }
});
