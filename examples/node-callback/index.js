// I/O-bound Node.js (CommonJS, callback style, up to Node.js 22): two timers stand for two calls to other services.

const WAIT_MS = 60;

exports.handler = (event, context, callback) => {
  const waitMs = event.wait_ms ?? WAIT_MS;
  let left = 2;
  const done = () => --left === 0 && callback(null, { waited_ms: waitMs });
  setTimeout(done, waitMs);
  setTimeout(done, waitMs);
};
