/** What all commands share: options, `--help`, one line for a failure, and the exit code. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { messageOf, UsageError } from './failure.ts';

/** Standard output is for results, which programs may read. */
export const print = (line = ''): boolean => process.stdout.write(`${line}\n`);
/** Standard error is for everything else. */
export const printNote = (line: string): boolean => process.stderr.write(`${line}\n`);

/** Makes a text from outside safe for the terminal: one line without control characters. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');

export interface CommandLine<Options extends ParseArgsOptionsConfig> {
  readonly usage: string;
  readonly options: Options;
  /** The exit code of a failure; 1 if absent. Wrong options always exit with 2. */
  readonly failed?: number;
  readonly describe?: (error: unknown) => string;
}

export type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options }>
>['values'];

/** Whether the command line requests the usage. */
const wantsHelp = (): boolean =>
  process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');

/** Runs a command to its exit code, which `main` returns. */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  { usage, options, failed = 1, describe = messageOf }: CommandLine<Options>,
  main: (values: Values<Options>) => Promise<number>,
): Promise<void> {
  if (wantsHelp()) {
    print(usage);
    return;
  }
  try {
    process.exitCode = await main(parse(options));
  } catch (error) {
    if (error instanceof UsageError) return rejectOptions(usage, error.message);
    printNote(describe(error));
    process.exitCode = failed;
  }
}

/** The options of a program that runs at the top level of its module. Ends the process after `--help` and wrong options. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(
  usage: string,
  options: Options,
): Values<Options> {
  if (wantsHelp()) {
    print(usage);
    process.exit(0);
  }
  try {
    return parse(options);
  } catch (error) {
    return rejectOptions(usage, messageOf(error));
  }
}

/** Ends the process: prints what is wrong with the options, and the usage. */
export function rejectOptions(usage: string, message: string): never {
  printNote(`${message}\n\n${usage}`);
  process.exit(2);
}

function parse<Options extends ParseArgsOptionsConfig>(options: Options): Values<Options> {
  try {
    return parseArgs({ options }).values;
  } catch {
    // Without the cause, because it quotes the argument, which might be a key.
    throw new UsageError(
      'An option is unknown or has no value, or an argument is not an option. Secrets are read from the environment only.',
    );
  }
}
