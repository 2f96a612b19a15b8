/** What was answered and could not be, given what had been answered before. Empty at the end of a good run. */
import type { Answer } from './api.ts';

export interface Judge {
  readonly wrong: string[];
  /** Notes an answer that is none of these. Nothing of it but status and code is told. */
  expect(answer: Answer, right: boolean, expected: string): void;
  /** Whether an answer says that the service could not, which says nothing of what was done. */
  isFailure(answer: Answer): boolean;
}

/** `failures`: whether parts may fail meanwhile, so that 503 and no answer at all are among what can be expected. */
export function createJudge(failures: () => boolean): Judge {
  const wrong: string[] = [];
  const isFailure = ({ line, status, code }: Answer) =>
    status === 0 ||
    (status === 503 && line === 'GET /ready') ||
    ['database_unavailable', 'database_busy', 'auth_unavailable'].includes(code ?? '');
  return {
    wrong,
    isFailure,
    expect(answer, right, expected) {
      if (right || (isFailure(answer) && failures())) return;
      wrong.push(`${answer.line}: ${answer.status} ${answer.code ?? ''} where ${expected}`);
    },
  };
}
