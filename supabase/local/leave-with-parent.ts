/** Preloaded into `wrangler dev`: when the program that started it is gone, however it went, it leaves too. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
