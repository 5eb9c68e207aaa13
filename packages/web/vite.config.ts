/** Builds the page into `dist/web`; in development serves it with hot reload and passes `/v1` to a controller on its usual port. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

const CONTROLLER = process.env['VESTIBULE_DEV_CONTROLLER'] ?? 'http://127.0.0.1:7080';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), tailwindcss()],
  build: {
    outDir: fileURLToPath(new URL('../../dist/web', import.meta.url)),
    emptyOutDir: true,
    // The page's policy allows no data: scripts or styles; nothing is inlined.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/v1': { target: CONTROLLER, ws: true } } },
});
