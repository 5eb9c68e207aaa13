/**
 * Gives a running container the network that `vm-network.ts` made: the device is moved, with its address and its way out, from the VM's
 * named namespace into the container's own, and the name with it. It is done from this machine's side, so it is the same for every container engine.
 */
import * as z from 'zod/mini';
import { runCommand } from '../system/run-command.ts';

const DEVICE = 'eth0';
const addressesSchema = z.array(
  z.object({ addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.number() })) }),
);
const routesSchema = z.array(z.object({ dst: z.string(), gateway: z.optional(z.string()) }));

/** `namespace`: its name. `pid`: a process of the container, which must live. */
export async function attachNetwork(namespace: string, pid: number): Promise<void> {
  const ip = ['ip', '-n', namespace];
  const [addresses, routes] = await Promise.all([
    runCommand([...ip, '-j', 'address', 'show', 'dev', DEVICE]),
    runCommand([...ip, '-j', 'route', 'show', 'default']),
  ]);
  const found = addressesSchema.parse(JSON.parse(addresses)).flatMap(({ addr_info }) => addr_info);
  const address = found.find(({ family }) => family === 'inet');
  const gateway = routesSchema.parse(JSON.parse(routes))[0]?.gateway;
  if (address === undefined || gateway === undefined) throw new Error(`${namespace} has no way out`);
  await runCommand([...ip, 'link', 'set', DEVICE, 'netns', String(pid)]);
  await runCommand(['nsenter', `--net=/proc/${pid}/ns/net`, '--', 'ip', '-batch', '-'], {
    stdin: [
      'link set lo up',
      `address add ${address.local}/${address.prefixlen} dev ${DEVICE}`,
      `link set ${DEVICE} up`,
      `route add default via ${gateway}`,
      '',
    ].join('\n'),
  });
  // From now on what looks into the VM's namespace, by its name, sees where the VM is.
  await runCommand(['ip', '-batch', '-'], { stdin: `netns del ${namespace}\nnetns attach ${namespace} ${pid}\n` });
}
