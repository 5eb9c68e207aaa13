import { expect, it } from 'vitest';
import { findImagesDir } from './prepare-runtime.mjs';

it('looks for images where the controller does', () => {
  expect(findImagesDir(['--images-dir', '/i'], { VESTIBULE_DATA_DIR: '/d' })).toBe('/i');
  expect(findImagesDir(['--data-dir=/e'], { VESTIBULE_DATA_DIR: '/d' })).toBe('/e/images');
  expect(findImagesDir([], {})).toMatch(/\/vestibule\/images$/);
});
