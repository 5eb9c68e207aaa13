/** The words and flags of the command line, and which command each belongs to. */
import { resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { userIdSchema } from '@vestibule/protocol/api';
import { MODES, type Mode } from '@vestibule/protocol/session';
import { BUILT_RUNTIMES } from '@vestibule/protocol/vm';
import type { Exit } from './cli-error.ts';
import type { Cli } from './cli.ts';
import { checkFiles } from './commands/check-files.ts';
import { connect, type ConnectFlags } from './commands/connect.ts';
import { examine } from './commands/doctor.ts';
import { collectLeftovers, type GcFlags } from './commands/fleet.ts';
import { importLogin, type ImportFlags } from './commands/import.ts';
import { runImages, type ImageFlags } from './commands/images.ts';
import { listCredentials, listSessions } from './commands/lists.ts';
import { showMachineLog } from './commands/machine-log.ts';
import { acceptNotice, listProviders } from './commands/providers.ts';
import { tryFile, type TryFlags } from './commands/try-file.ts';

export type GlobalFlags = { json?: boolean; server?: string; tokenFile?: string };
export type RunCommand = (flags: GlobalFlags, command: (cli: Cli) => Promise<Exit>) => Promise<void>;

/** The page's own default. */
const DEFAULT_USER = 'me';

const EPILOGUE = `
The token is taken from --token-file, VESTIBULE_TOKEN, or the file operator-token in the data folder of a server on this machine.

Ends with 0 when it worked, 1 when it was tried and did not, 2 for wrong usage, 3 when the server cannot be reached, 4 when the token is
missing or refused, 5 when something is not offered, 6 when somebody had to be asked and nobody was there, 130 when interrupted.`;

function toUser(text: string): string {
  const result = userIdSchema.safeParse(text);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`A user id is: ${result.error.issues[0]?.message ?? 'shorter'}.`);
}

const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];
const userOption = (): Option =>
  new Option('--user <id>', 'the user, as your platform names them').argParser(toUser).default(DEFAULT_USER);
const modeOption = (words: string): Option => new Option('--mode <way>', words).choices(MODES);
const tokenKindOption = (): Option =>
  new Option('--token-kind <id>', 'which of its tokens is given, when there are several');
const mayUseOption = (): Option =>
  new Option('--may-use', 'agree to a first harmless use of the login, which shows that the provider accepts it');

/** `run` brackets each command: it makes what the command is given, and tells how it ended. */
export function createProgram(run: RunCommand): Command {
  const program = new Command('vestibule')
    .description('Signs people in to command-line tools on machines that have no browser.')
    .addOption(new Option('--json', 'one JSON object a line instead of sentences'))
    .addOption(new Option('--server <url>', 'the server (VESTIBULE_SERVER, else http://127.0.0.1:7080)'))
    .addOption(new Option('--token-file <file>', "file with the operator's token"))
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError('Say vestibule --help for what there is.')
    .exitOverride();
  const start = (command: (cli: Cli) => Promise<Exit>): Promise<void> => run(program.opts<GlobalFlags>(), command);

  addSignIn(program, start);
  addProviders(program, start);
  addImages(program, start);
  program
    .command('sessions')
    .description('list the sign-ins of a user, newest first')
    .addOption(userOption())
    .action((flags: { user: string }) => start((cli) => listSessions(cli, flags)))
    .command('log <session>')
    .description('show what the machine of a sign-in printed')
    .action((sessionId: string) => start((cli) => showMachineLog(cli, sessionId)));
  program
    .command('credentials')
    .description('list the stored logins of a user; never what is in them')
    .addOption(userOption())
    .action((flags: { user: string }) => start((cli) => listCredentials(cli, flags)));
  addFleet(program, start);
  program
    .command('doctor')
    .description('try whether this machine can run browser VMs, and say what it lacks')
    .addArgument(new Argument('[runtime]', "default: the one that the server's settings name").choices(BUILT_RUNTIMES))
    .action((runtime: string | undefined) => start((cli) => examine(cli, runtime)));
  return program;
}

type Start = (command: (cli: Cli) => Promise<Exit>) => Promise<void>;

function addSignIn(program: Command, start: Start): void {
  program
    .command('connect <provider>')
    .description('sign in from this machine, with your own browser')
    .addOption(userOption())
    .addOption(modeOption('how to sign in; default: your own browser, else what the provider offers'))
    .option('--no-open', 'print links instead of opening them')
    .option('--expected-account <account>', 'refuse a login of any other account')
    .option('--allowed-domain <domain>', 'refuse accounts of other domains; may be repeated', collect)
    .option('--organization <organization>', 'refuse accounts of other organizations')
    .addOption(tokenKindOption())
    .addOption(mayUseOption())
    .option('--supersede', 'take the place of a sign-in that is under way')
    .action((provider: string, flags: ConnectFlags & { allowedDomain?: string[] }) => {
      const { allowedDomain, ...others } = flags;
      const given = allowedDomain === undefined ? others : { ...others, allowedDomains: allowedDomain };
      return start((cli) => connect(cli, provider, given));
    });
  program
    .command('import <provider>')
    .description('take over a login that exists on this machine')
    .addOption(userOption())
    .option('--home <dir>', 'the home folder that the login is in; default: yours')
    .option('--yes', 'agree without being asked')
    .action((provider: string, flags: ImportFlags) => start((cli) => importLogin(cli, provider, flags)));
}

function addFleet(program: Command, start: Start): void {
  program
    .command('fleet')
    .description('the machines that run browser VMs')
    .command('gc')
    .description(
      'remove what a crash left of browser VMs on the machine of the server; one that is stopped does so when it starts',
    )
    .option('--dry-run', 'only say what there is')
    .action((flags: GcFlags) => start((cli) => collectLeftovers(cli, flags)));
}

function addProviders(program: Command, start: Start): void {
  const providers = program.command('providers').description('what can be signed in to, and definitions of it');
  providers
    .command('list')
    .description('list what the server offers')
    .action(() => start(listProviders));
  providers
    .command('check <file...>')
    .description('say everything that is wrong with definition files')
    .action((files: string[]) => start((cli) => checkFiles(cli, files)));
  providers
    .command('try <file>')
    .description('run one sign-in with a definition on a server of its own, telling what is seen at each step')
    .addOption(modeOption('how to sign in; default: the first way of the definition'))
    .option('--no-open', 'print links instead of opening them')
    .addOption(tokenKindOption())
    .addOption(mayUseOption())
    .addOption(new Option('--runtime <runtime>', 'how the browser machine is run').default('process').hideHelp())
    .action((file: string, flags: TryFlags & { mode?: Mode }) => start((cli) => tryFile(cli, file, flags)));
  providers
    .command('accept <provider>')
    .description('read and accept the notice of a provider, once for the whole server')
    .option('--yes', 'accept without being asked')
    .action((provider: string, flags: { yes?: boolean }) => start((cli) => acceptNotice(cli, provider, flags)));
}

function addImages(program: Command, start: Start): void {
  const images = program.command('images').description('what browser VMs start from on this machine');
  const dataDir = (): Option =>
    new Option('--data-dir <dir>', 'the data folder of the server (VESTIBULE_DATA_DIR)').argParser((dir: string) =>
      resolve(dir),
    );
  images
    .command('build')
    .description('build the image anew where something of it changed, and have new VMs start from it')
    .addOption(dataDir())
    .option('--fresh', "with Debian's newest packages; without it, those of the last time")
    .action((flags: ImageFlags) => start((cli) => runImages(cli, 'build', flags)));
  images
    .command('list')
    .description('list the images that are there; new VMs start from the one with a star')
    .addOption(dataDir())
    .action((flags: ImageFlags) => start((cli) => runImages(cli, 'list', flags)));
  images
    .command('gc')
    .description('remove old images, but not the one before the current one, nor one that a VM was started from')
    .addOption(dataDir())
    .option('--dry-run', 'say what would be removed')
    .action((flags: ImageFlags) => start((cli) => runImages(cli, 'gc', flags)));
}
