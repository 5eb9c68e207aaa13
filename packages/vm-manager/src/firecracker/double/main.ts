/**
 * The doubles of `jailer` and `firecracker`, one program that is told by its name which of them it is. They speak Firecracker's protocols truly
 * and isolate nothing: what they are for is to test the runtime where there is no KVM. Not part of the product's build; tests bundle them.
 */
import { basename } from 'node:path';
import { runJailer } from './jailer.ts';
import { runFirecracker } from './vmm.ts';

const [, program = '', ...argv] = process.argv;
if (basename(program).startsWith('jailer')) runJailer(program, argv);
else runFirecracker(program, argv);
