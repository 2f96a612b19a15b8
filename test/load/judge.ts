/** Collects responses that are impossible, given the earlier responses. Empty at the end of a successful run. */
import type { Answer } from './api.ts';

export interface Judge {
  readonly wrong: string[];
  /** Records a response that is not among these. Only its status and code are reported. */
  expect(answer: Answer, right: boolean, expected: string): void;
  /** Whether a response reports a failure of the service, after which the effect of the call is unknown. */
  isFailure(answer: Answer): boolean;
}

/** `failures`: whether parts may currently fail, so that 503 and missing responses are expected. */
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
