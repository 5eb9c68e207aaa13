/** Extra certificate authorities in a VM of the runtime `process`: its programs and its browser trust them; without them they do not. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Runtime } from '../runtime.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench } from '../testing-process-bench.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
afterAll(() => bench.close());
const needs = ['bubblewrap', 'chromium', ...(isRoot ? ['network'] : [])];
const absent = ['/usr/bin/openssl', '/usr/bin/curl'].filter((program) => !existsSync(program));
if (absent.length > 0) console.warn(`skipped: ${absent.join(' and ')} not installed. apt-get install -y openssl curl`);
const isAble = (await requireAbilities(bench.open(), needs)) && absent.length === 0;

type Pem = { authority: string; key: string; certificate: string };

/** An authority of its own and a certificate of it for `localhost`. */
function createPem(): Pem {
  const dir = mkdtempSync(join(bench.dir, 'authority-'));
  const openssl = (args: string): unknown => execFileSync('openssl', args.split(' '), { cwd: dir, stdio: 'ignore' });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -days 30 -subj /CN=Inspecting-proxy`);
  openssl(`req ${key} -keyout server.key -out server.csr -subj /CN=localhost`);
  writeFileSync(join(dir, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out server.pem');
  const [authority = '', serverKey = '', certificate = ''] = ['ca.pem', 'server.key', 'server.pem'].map((name) =>
    readFileSync(join(dir, name), 'utf8'),
  );
  return { authority, key: serverKey, certificate };
}

describe.runIf(isAble)('a server whose certificate is of an authority that only this installation knows', () => {
  const pem = createPem();
  let runtime: Runtime;
  const vmIds: string[] = [];
  let url = '';

  /** A VM and, inside it, the server. */
  async function startVm(extraAuthorities: string | null, slot: number): Promise<string> {
    const vmId = bench.newVmId();
    runtime = bench.open({ extraAuthorities });
    await runtime.create({ vmId, slot, layer: null, epoch: 1 });
    vmIds.push(vmId);
    await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), { timeout: 15_000, interval: 10 });
    const identity = JSON.stringify({ key: pem.key, cert: pem.certificate });
    const port = await bench.ask(
      vmId,
      `new Promise((done) => { const server = https.createServer(${identity}, (request, response) => response.setHeader("content-type", "text/html").end("<p>reached</p>")); server.listen(0, "127.0.0.1", () => done(server.address().port)); })`,
    );
    url = JSON.stringify(`https://localhost:${String(port)}/`);
    return vmId;
  }
  afterAll(async () => {
    for (const vmId of vmIds) await runtime.destroy(vmId);
  });

  const byNode = (vmId: string) =>
    bench.ask(vmId, `fetch(${url}).then((answer) => answer.text(), (error) => error.cause.code)`);
  const run = (vmId: string, program: string, args: readonly string[]) =>
    bench.ask(
      vmId,
      `new Promise((done) => execFile(${program}, [...${JSON.stringify(args)}, ${url}], { timeout: 60000 }, (error, stdout, stderr) => done(stdout + stderr)))`,
    );
  const byCurl = (vmId: string) => run(vmId, '"curl"', ['-sS']);
  const BROWSER = ['--headless', '--disable-gpu', '--no-first-run', '--user-data-dir=/tmp/profile', '--dump-dom'];
  /** Again while the network of the new VM settles, at which the browser lets go of what it loads. */
  const byBrowser = (vmId: string) =>
    vi.waitFor(
      async () => {
        const said = String(await run(vmId, 'process.env.VESTIBULE_CHROMIUM', BROWSER));
        expect(said).not.toContain('ERR_NETWORK_CHANGED');
        return said;
      },
      { timeout: 30_000, interval: 100 },
    );

  describe('with VESTIBULE_CA_FILE', () => {
    let vmId: string;
    beforeAll(async () => {
      vmId = await startVm(pem.authority, 0);
    });

    it('is trusted by Node, OpenSSL and the browser', async () => {
      expect(await byNode(vmId)).toBe('<p>reached</p>');
      expect(await byCurl(vmId)).toBe('<p>reached</p>');
      expect(await byBrowser(vmId)).toContain('<p>reached</p>');
    });

    it('is trusted besides the authorities of the system, by whatever a CLI looks at', async () => {
      const sizes = `["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CODEX_CA_CERTIFICATE"].map((name) => fs.readFileSync(process.env[name], "utf8").split("BEGIN CERTIFICATE").length - 1)`;
      const [extra = 0, all = 0, codex = 0] = (await bench.ask(vmId, sizes)) as number[];
      expect(extra).toBe(1);
      expect(all).toBeGreaterThan(1);
      expect(codex).toBe(all);
    });

    it('cannot be put in the place of the authorities by the VM', async () => {
      expect(await bench.ask(vmId, 'fs.writeFileSync(process.env.SSL_CERT_FILE, "")')).toMatch(
        /^failed: E(ROFS|ACCES)/,
      );
    });
  });

  it('is trusted by none of them without it', async () => {
    const vmId = await startVm(null, 1);
    expect(await byNode(vmId)).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    expect(await byCurl(vmId)).toContain('certificate');
    expect(await byBrowser(vmId)).toContain('ERR_CERT_AUTHORITY_INVALID');
  });
});
