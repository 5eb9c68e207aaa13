import { expect, it } from 'vitest';
import { countMissing, toDoctorText, type Diagnosis } from './doctor-report.ts';

const image = {
  id: 'image',
  title: 'There is no image',
  hint: 'npx vestibule images build',
  severity: 'missing',
} as const;
const slow = {
  id: 'emulation',
  title: 'KVM does not work',
  hint: 'It is slow.\nSee docs.',
  severity: 'notice',
} as const;
const base: Diagnosis = { runtime: 'qemu', isConfigured: true, sharedKernel: false, pace: 24.6, requirements: [] };

it('lists what is missing and what is to be known, each with its hint, and says what follows', () => {
  const text = toDoctorText({ ...base, requirements: [slow, image] });
  expect(text.split('\n')).toEqual([
    'Runtime qemu, which the settings name. Its browser VMs have a kernel apart.',
    'Guests run about 25 times slower than this server itself.',
    '',
    '  notice   KVM does not work',
    '           It is slow.',
    '           See docs.',
    '',
    '  MISSING  There is no image',
    '           npx vestibule images build',
    '',
    'One thing is missing; until then no sign-in can run.',
    '',
  ]);
  expect(countMissing({ ...base, requirements: [slow, image, image] })).toBe(2);
});

it('takes a notice for nothing that is missing', () => {
  const text = toDoctorText({ ...base, isConfigured: false, sharedKernel: true, pace: 1, requirements: [slow] });
  expect(text).toMatch(
    /^Runtime qemu, which the settings do not name now\. Its browser VMs share this server's kernel\.\n\n/,
  );
  expect(text).toContain('Nothing is missing: sign-ins can run.');
});
