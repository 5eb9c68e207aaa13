#!/usr/bin/env node
// Never run: tests play its machine.
process.exitCode = 1;
