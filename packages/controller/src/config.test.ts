import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestibule-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problemsOf(env: Record<string, string>, argv: string[] = []): readonly string[] {
  try {
    loadConfig(env, argv, false);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('defaults', () => {
  it('listens on the loopback, with the data of an ordinary user below their own home', () => {
    const config = loadConfig({ HOME: '/home/ada' }, [], false);
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 7080,
      dataDir: '/home/ada/.local/share/vestibule',
      masterKeyFile: '/home/ada/.local/share/vestibule/master-key',
      runtime: 'process',
      graceMs: 30_000,
      sessionMs: 600_000,
      holdMs: 120_000,
      databaseUrl: null,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('keeps the data of root in /var/lib and follows XDG_DATA_HOME otherwise', () => {
    expect(loadConfig({}, [], true).dataDir).toBe('/var/lib/vestibule');
    expect(loadConfig({ XDG_DATA_HOME: '/data' }, [], false).dataDir).toBe('/data/vestibule');
  });

  it('takes an empty value as absent', () => {
    expect(loadConfig({ VESTIBULE_PORT: '' }, [], false).port).toBe(7080);
  });
});

describe('problems', () => {
  it('reports all problems in one message', () => {
    const problems = problemsOf({
      VESTIBULE_PORT: '70800',
      VESTIBULE_GRACE_SECONDS: 'soon',
      VESTIBULE_RUNTIME: 'incus',
    });
    expect(problems).toEqual([
      'VESTIBULE_PORT must be a whole number from 0 to 65535.',
      'VESTIBULE_GRACE_SECONDS must be a whole number from 0 to 86400.',
      'VESTIBULE_RUNTIME: incus is planned and not part of this version. Use process, container, qemu, firecracker or fake.',
    ]);
  });

  it('takes settings of the command in the same shell for what they are', () => {
    expect(problemsOf({ VESTIBULE_SERVER: 'http://127.0.0.1:7080', VESTIBULE_TOKEN: 'a-token' })).toEqual([]);
  });

  it('refuses an unknown setting and names the one that was probably meant', () => {
    expect(problemsOf({ VESTIBULE_PROT: '1' })).toEqual([
      'VESTIBULE_PROT is not a setting. Did you mean VESTIBULE_PORT?',
    ]);
    expect(problemsOf({ VESTIBULE_XQZZYWV_LLAMA_FARM: '1' })[0]).toContain('.env.example');
    expect(problemsOf({ PATH: '/bin', SOME_OTHER: '1' })).toEqual([]);
  });

  it('shows no value of a secret setting', () => {
    const message = problemsOf({ DATABASE_URL: 'mysql://canary@x', VESTIBULE_OPERATOR_TOKEN: 'canary-short' }).join();
    expect(message).toContain('DATABASE_URL must begin with postgresql://');
    expect(message).toContain('VESTIBULE_OPERATOR_TOKEN must be');
    expect(message).not.toContain('canary');
  });

  it('refuses the shared kernel off the loopback, by address or by public URL, unless it is accepted', () => {
    const words = "share this server's kernel";
    expect(problemsOf({ VESTIBULE_HOST: '0.0.0.0' })[0]).toContain(words);
    expect(problemsOf({ VESTIBULE_PUBLIC_URL: 'https://vestibule.example' })[0]).toContain(words);
    expect(problemsOf({ VESTIBULE_PUBLIC_URL: 'https://localhost:8443' })).toEqual([]);
    expect(problemsOf({ VESTIBULE_HOST: '0.0.0.0', VESTIBULE_ALLOW_SHARED_KERNEL: '1' })).toEqual([]);
    for (const runtime of ['container', 'qemu', 'firecracker', 'fake'])
      expect(problemsOf({ VESTIBULE_HOST: '0.0.0.0', VESTIBULE_RUNTIME: runtime })).toEqual([]);
  });

  it.each(['http://vestibule.example', 'https://vestibule.example/path', 'vestibule.example', 'https://u:p@x.example'])(
    'refuses the public URL %s',
    (url) => {
      expect(problemsOf({ VESTIBULE_PUBLIC_URL: url })[0]).toContain('must be an https origin');
    },
  );

  it('refuses a name server that is not an address, and a fake script without the runtime fake', () => {
    expect(problemsOf({ VESTIBULE_VM_DNS: '1.1.1.1, dns.example' })[0]).toContain('VESTIBULE_VM_DNS must be addresses');
    expect(problemsOf({ VESTIBULE_FAKE_SCRIPT: 'crash' })).toEqual([
      'VESTIBULE_FAKE_SCRIPT needs VESTIBULE_RUNTIME=fake.',
    ]);
  });
});

describe('runtimes', () => {
  it('refuses what only another runtime takes, each by name, and lets its default stand', () => {
    const ofOthers = {
      VESTIBULE_CONTAINER_SOCKET: '/run/podman.sock',
      VESTIBULE_CONTAINER_RUNTIME: 'runsc',
      VESTIBULE_QEMU_ACCELERATOR: 'tcg',
      VESTIBULE_FIRECRACKER: '/opt/firecracker',
      VESTIBULE_JAILER: '/usr/local/bin/jailer',
    };
    expect(problemsOf({ VESTIBULE_RUNTIME: 'process', ...ofOthers })).toEqual([
      'VESTIBULE_CONTAINER_SOCKET needs VESTIBULE_RUNTIME=container.',
      'VESTIBULE_CONTAINER_RUNTIME needs VESTIBULE_RUNTIME=container.',
      'VESTIBULE_QEMU_ACCELERATOR needs VESTIBULE_RUNTIME=qemu.',
      'VESTIBULE_FIRECRACKER needs VESTIBULE_RUNTIME=firecracker.',
    ]);
    expect(problemsOf({ VESTIBULE_RUNTIME: 'qemu', VESTIBULE_QEMU_ACCELERATOR: 'tcg' })).toEqual([]);
  });

  it('says what form each setting of VMs has', () => {
    const env = {
      VESTIBULE_VM_ALLOW: '10.1.2.0/33',
      VESTIBULE_VM_PROXY: 'https://u:canary@proxy:3128',
      VESTIBULE_VM_MEMORY_MIB: '64',
      VESTIBULE_VM_PIDS: '20',
      VESTIBULE_VM_CPUS: '1.234',
      VESTIBULE_VM_DISK_MIB: '0',
      VESTIBULE_IMAGES_DIR: 'images',
      VESTIBULE_QEMU_ACCELERATOR: 'kvm',
    };
    const problems = problemsOf(env);
    expect(problems.map((line) => line.split(' ')[0]).toSorted()).toEqual(Object.keys(env).toSorted());
    expect(problems.join()).not.toContain('canary');
  });

  it('reads networks, proxy and limits of VMs', () => {
    const { vm } = loadConfig(
      {
        VESTIBULE_VM_ALLOW: ' 10.1.2.0/24, 192.168.7.7 ',
        VESTIBULE_VM_PROXY: 'http://10.1.2.3:3128',
        VESTIBULE_VM_CPUS: '0.5',
      },
      [],
      false,
    );
    const proxy = { host: '10.1.2.3', port: 3128 };
    const limits = { memoryMib: 2048, pids: 1024, cpus: 0.5, diskMib: 512 };
    expect(vm).toEqual({ allow: ['10.1.2.0/24', '192.168.7.7'], proxy, ...limits });
  });

  it('takes the container socket of the user before the one of the server, and only one that is there', () => {
    writeFileSync(join(folder, 'docker.sock'), '');
    const socketPath = (isRoot: boolean): string =>
      loadConfig({ XDG_RUNTIME_DIR: folder }, [], isRoot).container.socketPath;
    expect(socketPath(false)).toBe(join(folder, 'docker.sock'));
    expect(socketPath(true)).not.toContain(folder);
  });
});

describe('further certificate authorities', () => {
  const authority = `${rootCertificates[0] ?? ''}\n`;
  const write = (text: string): string => {
    const path = join(folder, 'authorities.pem');
    writeFileSync(path, text);
    return path;
  };

  it('are read with the settings, and of their file nothing but certificates', () => {
    const key = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n';
    const path = write(`# our proxy\n${key}${authority}${authority}`);
    const { extraAuthorities } = loadConfig({ VESTIBULE_CA_FILE: path }, [], false);
    expect(extraAuthorities).toBe(authority + authority);
    expect(loadConfig({}, [], false).extraAuthorities).toBeNull();
  });

  it.each([
    ['not there', null, 'cannot be read (ENOENT)'],
    ['empty', '', 'holds no certificate'],
    ['of another form', '-----BEGIN PUBLIC KEY-----\nMAo=\n-----END PUBLIC KEY-----\n', 'holds no certificate'],
    ['damaged', '-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n', 'certificate 1 in the file'],
  ])('are refused in words when their file is %s', (_what, text, words) => {
    const path = text === null ? join(folder, 'absent.pem') : write(text);
    expect(problemsOf({ VESTIBULE_CA_FILE: path, VESTIBULE_PORT: '7080' })).toEqual([
      expect.stringContaining(words) as string,
    ]);
  });
});

describe('the command line', () => {
  it('wins over the environment', () => {
    const config = loadConfig(
      { VESTIBULE_PORT: '1', HOME: '/h' },
      ['--port=7081', '--data-dir', '/d', '--demo'],
      false,
    );
    expect(config).toMatchObject({ port: 7081, dataDir: '/d', demo: true });
  });

  it('refuses what it does not know, a missing value, and secrets', () => {
    expect(problemsOf({}, ['--prot', '--port', '--operator-token=canary', 'canary'])).toEqual([
      '--prot is not an option. Did you mean --port?',
      '--port needs a value.',
      expect.stringMatching(/^--operator-token is not an option/),
      'The command line has a word that belongs to no option.',
    ]);
  });
});

describe('secrets', () => {
  it('reads a secret from a file, and prints it nowhere', () => {
    writeFileSync(join(folder, 'url'), 'postgresql://u:canary@db/x\n');
    const config = loadConfig({ DATABASE_URL_FILE: join(folder, 'url') }, [], false);
    expect(config.databaseUrl?.reveal()).toBe('postgresql://u:canary@db/x');
    expect(inspect(config) + JSON.stringify(config)).not.toContain('canary');
  });

  it('says which file cannot be read, and refuses both forms at once', () => {
    const problems = problemsOf({ DATABASE_URL: 'postgresql://x', DATABASE_URL_FILE: join(folder, 'none') });
    expect(problems).toEqual([
      'Set DATABASE_URL or DATABASE_URL_FILE, not both.',
      `DATABASE_URL_FILE: the file ${join(folder, 'none')} cannot be read (ENOENT).`,
    ]);
  });
});
