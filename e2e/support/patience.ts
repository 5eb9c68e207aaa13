/** How many times longer than usual these tests wait for what a machine does: an emulated one is that much slower. */
export const PATIENCE = Math.max(1, Number(process.env['E2E_PATIENCE'] ?? 1));
