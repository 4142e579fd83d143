/** Effects run in the next task. Left to frames, of which a busy machine draws few, tests would wait for some time. */

import { options } from "preact";

options.requestAnimationFrame = (run) => void setTimeout(run, 0);
