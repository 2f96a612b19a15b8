/**
 * For a process that a test forks: stops when the process that forked it ends, however that ended. Ctrl-C reaches every
 * process of a terminal, and is ignored here, so that the tests can still use the stack while they end.
 */
export function stopWithParent(stop: () => Promise<void>): void {
  const end = () => void stop().finally(() => process.exit());
  if (process.connected) process.once('disconnect', end);
  else end();
}

export function ignoreSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
}
