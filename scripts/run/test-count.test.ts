import { expect, it } from 'vitest';
import { countPlaywright, countVitest, sumCounts, toClosingLine, toPartCount } from './test-count.ts';

const PASSED = { status: 'passed', assertionResults: [{}] };

it('sums the counts of both runners in one line', () => {
  const vitest = countVitest({
    numPassedTests: 10,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 0,
    testResults: [PASSED, { status: 'failed', assertionResults: [{}] }],
  });
  const playwright = countPlaywright({ stats: { expected: 4, unexpected: 0, flaky: 0, skipped: 1 } });
  expect(toClosingLine(sumCounts([vitest, playwright]))).toBe('14 passed, 1 failed, 3 skipped');
});

it('counts a file that could not be loaded as failed', () => {
  const count = countVitest({
    numPassedTests: 1,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [PASSED, { status: 'failed', assertionResults: [] }],
  });
  expect(count.failed).toBe(1);
});

it('counts a test that needed a second try as failed', () => {
  expect(countPlaywright({ stats: { expected: 1, unexpected: 0, flaky: 1, skipped: 0 } }).failed).toBe(1);
});

it('counts a part that failed without a failing test as one failed', () => {
  expect(toPartCount(1, null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(toPartCount(1, { passed: 9, failed: 0, skipped: 0 })).toEqual({ passed: 9, failed: 1, skipped: 0 });
  expect(toPartCount(1, { passed: 9, failed: 2, skipped: 0 }).failed).toBe(2);
  expect(toPartCount(0, { passed: 9, failed: 0, skipped: 0 }).failed).toBe(0);
});
