/**
 * The double of `firecracker`: its command line, its API, its vsock and its ends. Runs in its jail as the VM's uid; the guest is run by the
 * process that started it (`double-kvm.ts`), as KVM would. Sockets stay behind however it ends, as the real one's do.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { ArgumentError, parseArguments, type ArgumentRule } from './arguments.ts';
import { bootSourceSchema, machineConfigSchema, parseBody } from './api-schemas.ts';
import { createApiServer } from './api-server.ts';
import {
  loadDoubleSettings,
  parseMachineFate,
  VERSION,
  type DoubleSettings,
  type MachineFate,
} from './double-settings.ts';
import { GUEST_DIR, type FromVmm, type ToVmm } from './guest-words.ts';
import { createMachineState, inJail, type MachineParts } from './machine-state.ts';
import { VSOCK } from '../../vm/vsock-ports.ts';
import { createVsockDevice } from './vsock-device.ts';

const FLAG: ArgumentRule = { takesValue: false };
const VALUE: ArgumentRule = { takesValue: true };
const RULES: Readonly<Record<string, ArgumentRule>> = {
  'api-sock': VALUE,
  id: VALUE,
  'seccomp-filter': { takesValue: true, forbids: 'no-seccomp' },
  'no-seccomp': { takesValue: false, forbids: 'seccomp-filter' },
  'start-time-us': VALUE,
  'start-time-cpu-us': VALUE,
  'parent-cpu-time-us': VALUE,
  'config-file': VALUE,
  metadata: VALUE,
  'no-api': FLAG,
  'log-path': VALUE,
  level: VALUE,
  module: VALUE,
  'show-level': FLAG,
  'show-log-origin': FLAG,
  'metrics-path': VALUE,
  'boot-timer': FLAG,
  version: FLAG,
  'snapshot-version': FLAG,
  'describe-snapshot': VALUE,
  'http-api-max-payload-size': VALUE,
  'mmds-size-limit': VALUE,
  'enable-pci': FLAG,
};
const ARGUMENT_CODE = 153;
/** In the jail: what a test says how the machine is to end. */
const FATE_SOCKET = './double.sock';

export function runFirecracker(program: string, argv: readonly string[]): void {
  try {
    const { values } = parseArguments(argv, RULES);
    if (values.has('version')) return void process.stdout.write(`Firecracker v${VERSION}\n\n`);
    const settings = loadDoubleSettings(program);
    const configFile = values.get('config-file')?.[0];
    if (configFile !== undefined) return probe(configFile);
    serve(
      values.get('id')?.[0] ?? 'anonymous-instance',
      values.get('api-sock')?.[0] ?? '/run/firecracker.socket',
      settings,
    );
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Error: ${words}\n`);
    process.exitCode = error instanceof ArgumentError ? ARGUMENT_CODE : 1;
  }
}

/** Whether a whole line has it. */
const hasLine = (said: string, text: string): boolean =>
  said
    .split('\n')
    .slice(0, -1)
    .some((line) => line.includes(text));

/** A VM without an API: all that a guest without drives can do is to say that its first steps ran. */
function probe(configFile: string): void {
  const parts = JSON.parse(readFileSync(configFile, 'utf8')) as Record<string, unknown>;
  parseBody(machineConfigSchema, JSON.stringify(parts['machine-config']));
  const boot = parseBody(bootSourceSchema, JSON.stringify(parts['boot-source']));
  if (readFileSync(boot.kernel_image_path).subarray(1, 4).toString() !== 'ELF')
    throw new Error('RunWithoutApiError(BuildMicroVMFromJson(StartMicroVM(KernelLoader)))');
  if (boot.boot_args?.includes('vestibule.probe') === true) process.stdout.write('vestibule: the probe ran\r\n');
}

function serve(id: string, apiSocket: string, settings: DoubleSettings): void {
  const log = (words: string): void => void process.stdout.write(`${new Date().toISOString()} [${id}:main] ${words}\n`);
  const tell = (word: FromVmm): void => void process.send?.(word);
  let lifecycle: Socket | null = null;
  let isOver = false;

  function end(fate: MachineFate): void {
    if (fate === 'poweroff') return log('the guest is off; x86 has no way to tell, so this goes on');
    if (isOver) return;
    isOver = true;
    const code = fate === 'triple_fault' ? 1 : typeof fate === 'number' ? fate : 0;
    if (fate === 'triple_fault') log('Unexpected exit reason on vcpu run: Shutdown');
    log(
      code === 0
        ? 'Firecracker exiting successfully. exit_code=0'
        : `Firecracker exiting with error. exit_code=${code}`,
    );
    // What the guest's init said last is on its way to the host.
    if (lifecycle === null || lifecycle.destroyed) process.exit(code);
    lifecycle.end(() => process.exit(code));
  }

  const { endWhenSaid: mark, endAfter } = settings;
  const device = createVsockDevice(settings, (port, text) => {
    if (isOver) return false;
    if (mark === undefined || mark.port !== port || !hasLine(text, mark.text)) return true;
    setImmediate(() => end(mark.end));
    return mark.isHeard;
  });

  function onGuest(word: ToVmm): void {
    if (word.type !== 'agent_started') {
      say(word.type === 'failed' ? `failed ${word.words}` : `exit ${word.code}`);
      return end('reboot');
    }
    say('started');
    device.setGuestPorts(
      new Map([
        [VSOCK.agentPort, `${GUEST_DIR}/run/agent.sock`],
        [VSOCK.displayPort, `${GUEST_DIR}/run/rfb.sock`],
      ]),
    );
    if (endAfter !== undefined) setTimeout(() => end(endAfter.end), endAfter.delayMs);
  }

  /** The guest's init, which calls the host first of all. */
  function boot(parts: MachineParts): void {
    const byOrder = [...parts.drives.values()].map((drive) => drive.path_on_host ?? '');
    const [, configDrive, layerDrive = null] = byOrder;
    if (configDrive === undefined) return end('panic');
    process.on('message', onGuest);
    if (parts.vsock === null) return tell({ type: 'start', configDrive, layerDrive });
    lifecycle = connect(`${inJail(parts.vsock.uds_path)}_${VSOCK.lifecyclePort}`);
    const start = (): void =>
      tell({
        type: 'start',
        configDrive: inJail(configDrive),
        layerDrive: layerDrive === null ? null : inJail(layerDrive),
      });
    lifecycle.once('connect', start).once('error', start);
    lifecycle.on('data', (bytes: Buffer) => {
      if (bytes.toString().includes('stop')) tell({ type: 'stop' });
    });
  }
  const say = (line: string): void => void lifecycle?.write(`${line.slice(0, 150).replaceAll('\n', ' ')}\n`);

  const handle = createMachineState(id, {
    start(parts) {
      if (parts.vsock !== null) device.server.listen(inJail(parts.vsock.uds_path));
      boot(parts);
    },
    // The guest's kernel restarts at once: its init asked for nothing else.
    sendCtrlAltDel: () => end('reboot'),
  });
  const api = createApiServer(handle, settings);
  api.on('error', (error) => {
    process.stderr.write(`Error: RunWithApi(FailedToBindAndRunHttpServer(${error.message}))\n`);
    process.exit(1);
  });
  api.listen(inJail(apiSocket), () => log('API server started.'));
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes: Buffer) => end(parseMachineFate(bytes.toString())));
  }).listen(FATE_SOCKET);
}
