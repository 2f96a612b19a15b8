/** The common part of all operator commands: options, `--help`, one line for a failure, and the exit code. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { messageOf, UsageError } from './failure.ts';

/** Standard output is for results, which programs may read. */
export const say = (line = ''): boolean => process.stdout.write(`${line}\n`);
/** Standard error is for everything else. */
export const note = (line: string): boolean => process.stderr.write(`${line}\n`);

/** Makes a text from outside safe for the terminal: one line without control characters. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');

export interface CommandLine<Options extends ParseArgsOptionsConfig> {
  readonly usage: string;
  readonly options: Options;
  /** The exit code of a failure. The default is 1. */
  readonly failed?: number;
  readonly describe?: (error: unknown) => string;
}

export type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options }>
>['values'];

/** Runs a command. `main` returns the exit code. */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  { usage, options, failed = 1, describe = messageOf }: CommandLine<Options>,
  main: (values: Values<Options>) => Promise<number>,
): Promise<void> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    say(usage);
    return;
  }
  try {
    process.exitCode = await main(parse(options));
  } catch (error) {
    note(describe(error));
    if (error instanceof UsageError) note(`\n${usage}`);
    process.exitCode = failed;
  }
}

function parse<Options extends ParseArgsOptionsConfig>(options: Options): Values<Options> {
  try {
    return parseArgs({ options }).values;
  } catch {
    // Without the cause, because it quotes the argument, which might be a key.
    throw new UsageError(
      'An option is unknown or has no value, or there is an argument that is not an option. Keys are read from the environment.',
    );
  }
}
