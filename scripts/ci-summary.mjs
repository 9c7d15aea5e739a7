// SPDX-License-Identifier: Apache-2.0
// Turns vitest's JSON report into the last line of .ci/run, `N passed, N failed`, and its exit status.
//
//   node scripts/ci-summary.mjs REPORT STATUS     STATUS: 0 when every step before this one passed
import { readText, say } from './support.mjs';

const [reportFile, earlierStatus] = process.argv.slice(2);

/** A test file that could not even be loaded has no test of its own to fail: it counts as one failure. */
function count(report) {
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloadable.length };
}

function readReport() {
  try {
    return JSON.parse(readText(reportFile));
  } catch {
    return null;
  }
}

const report = readReport();
const { passed, failed } = report === null ? { passed: 0, failed: 0 } : count(report);
if (report === null) say('the tests did not run');
else if (passed + failed === 0) say('no test ran');
else if (failed === 0 && earlierStatus !== '0') say('the tests passed, another step failed: see above');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = earlierStatus === '0' && report?.success === true && passed > 0 && failed === 0 ? 0 : 1;
