/** What to do about the words with which container engines refuse, where that is known. Each was seen; podman's are in docs/runtimes.md. */

const CONF = '/etc/containers/containers.conf';

type Hint = { said: RegExp; hint: string };

const HINTS: readonly Hint[] = [
  {
    said: /rlimit/i,
    hint: `The engine asks for more than this machine may give. In ${CONF}: [containers] default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]`,
  },
  {
    said: /cgroups in hybrid mode not supported/,
    hint: `crun does not take control groups of both versions; runc does: apt-get install -y runc, and in ${CONF}: [engine] runtime = "runc"`,
  },
  {
    said: /sd-bus|dbus|systemd|journald/i,
    hint: `Without systemd, in ${CONF}: [engine] cgroup_manager = "cgroupfs", events_logger = "file"; [containers] log_driver = "k8s-file"`,
  },
  {
    said: /conmon/,
    hint: 'apt-get install -y conmon',
  },
  {
    // podman's words name no setting: a service runs all its containers with one OCI runtime.
    said: /does not take the OCI runtime/,
    hint: `podman takes it for the whole service: in ${CONF}: [engine] runtime = "runsc", or podman --runtime /usr/bin/runsc system service…; or leave out VESTIBULE_CONTAINER_RUNTIME`,
  },
  {
    said: /(invalid|unknown|find).*runtime|runtime.*not found/i,
    hint: `Install what VESTIBULE_CONTAINER_RUNTIME names, and tell the engine of it: podman in ${CONF} under [engine.runtimes], Docker in /etc/docker/daemon.json under "runtimes"`,
  },
];

/** `otherwise` when nothing is known. */
export function findEngineHint(said: string, otherwise: string): string {
  return HINTS.find((known) => known.said.test(said))?.hint ?? otherwise;
}
