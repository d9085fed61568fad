/**
 * Runs before the page's script and says so where a browser cannot run that. The build keeps it to what older browsers
 * can read.
 */
import { fail } from './notice.ts';

// the page's script takes it away when it has begun
window.onerror = (event) => fail(`This page needs a newer browser, of 2022 or after: ${event}`);
