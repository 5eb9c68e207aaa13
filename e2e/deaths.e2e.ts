/** The sample of the VM death matrix on the runtime `process`. */
import { PROCESS } from './support/runtime-under-test.ts';
import { sampleDeaths } from './support/sample-deaths.ts';

sampleDeaths(PROCESS);
