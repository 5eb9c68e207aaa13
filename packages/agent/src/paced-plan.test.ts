import { expect, test } from 'vitest';
import { toPacedPlan } from './paced-plan.ts';
import { createPlan } from './testing-plan.ts';

const plan = createPlan('/bin/tool', {
  login: { url: { timeoutSeconds: 20 } },
  success: {
    confirm: { args: ['status'], timeoutSeconds: 15 },
    use: { args: ['ask'], timeoutSeconds: 30, description: 'It asks.' },
  },
  ways: { device_code: { codePattern: '([A-Z]{4})', urlPattern: 'https://id.example/device', validSeconds: 900 } },
});

test('what the program does takes longer on a slow machine, what the provider counts does not', () => {
  const slow = toPacedPlan(plan, 2.51);
  expect(slow.login.url.timeoutSeconds).toBe(51);
  expect(slow.success.confirm?.timeoutSeconds).toBe(38);
  expect(slow.success.use?.timeoutSeconds).toBe(76);
  expect(slow.ways).toEqual(plan.ways);
  expect(toPacedPlan(plan, 1)).toEqual(plan);
});

test('a plan that asks the program nothing asks it nothing on a slow machine either', () => {
  const { success } = toPacedPlan(createPlan('/bin/tool'), 30);
  expect(success).toEqual(createPlan('/bin/tool').success);
});
