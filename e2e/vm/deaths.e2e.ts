/** The sample of the VM death matrix on the runtime under test. */
import { findRuntimeUnderTest } from '../support/runtime-under-test.ts';
import { sampleDeaths } from '../support/sample-deaths.ts';

sampleDeaths(findRuntimeUnderTest());
