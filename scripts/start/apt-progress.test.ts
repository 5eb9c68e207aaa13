import { describe, expect, it } from 'vitest';
import { toAptStatus, toOverallPercent } from './apt-progress.mjs';

describe('a line of apt-get', () => {
  it('is read as a download', () => {
    expect(toAptStatus('dlstatus:3:12.5:Retrieving file 3 of 81 (1min 2s remaining)')).toEqual({
      kind: 'download',
      percent: 12.5,
      text: 'Retrieving file 3 of 81 (1min 2s remaining)',
    });
  });

  it('is read as an installation, also of a package named with its architecture', () => {
    expect(toAptStatus('pmstatus:libgbm1:amd64:41.6667:Preparing libgbm1:amd64 (amd64)')).toEqual({
      kind: 'install',
      percent: 41.6667,
      text: 'Preparing libgbm1:amd64 (amd64)',
    });
    expect(toAptStatus('pmstatus:dpkg-exec:0.0000:Running dpkg')).toMatchObject({ kind: 'install', percent: 0 });
  });

  it('is read as an error with the name of the package', () => {
    expect(toAptStatus('pmerror:openbox:62.5:trying to overwrite a file')).toEqual({
      kind: 'error',
      text: 'openbox: trying to overwrite a file',
    });
  });

  it.each(['', 'Reading package lists...', 'Get:1 http://deb.debian.org/debian bookworm InRelease', 'dlstatus:x'])(
    'is nothing when it says %j',
    (line) => {
      expect(toAptStatus(line)).toBeNull();
    },
  );
});

it('counts downloads as the first half and the installation as the second', () => {
  expect(toOverallPercent({ kind: 'download', percent: 0 })).toBe(0);
  expect(toOverallPercent({ kind: 'download', percent: 100 })).toBe(50);
  expect(toOverallPercent({ kind: 'install', percent: 100 })).toBe(100);
});
