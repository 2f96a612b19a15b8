/** Of a 503: seconds to wait before a retry (RFC 9110, section 10.2.3). Absent if only the operator can fix the cause. */
type RetryAfterSeconds = number;

/** The title says what is wrong. The detail says what to do, and begins with "Operator:" if only the operator can do it. */
export type ProblemText = readonly [
  status: number,
  title: string,
  detail: string,
  retryAfter?: RetryAfterSeconds,
];

export type ProblemTexts = Readonly<Record<string, ProblemText>>;
