/** What a person is told to do when a container engine refuses, by the very words that engines were seen to say. */
import { expect, it } from 'vitest';
import { findEngineHint } from './engine-hints.ts';

it.each([
  ['crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied', /default_ulimits = \["nofile/],
  ['crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2', /\[engine\] runtime = "runc"/],
  ['could not connect to the systemd bus: dial unix /run/systemd/private: no such file', /cgroup_manager = "cgroupfs"/],
  ['could not find a working conmon binary (configured options: [/usr/bin/conmon])', /install -y conmon/],
  [
    'the container engine does not take the OCI runtime runsc, it would run containers with runc',
    /\[engine\] runtime = "runsc"/,
  ],
  ['unknown or invalid runtime name: runsc', /daemon\.json/],
])('knows what helps against %j', (said, hint) => {
  expect(findEngineHint(said, 'nothing is known')).toMatch(hint);
});

it('claims to know nothing of other words', () => {
  expect(findEngineHint('no space left on device', 'nothing is known')).toBe('nothing is known');
});
