// A Lambda runtime for Node.js: loads a handler, then serves events of the Runtime API (2018-06-01) one by one.
// CommonJS and ES modules, async and callback handlers. No dependencies.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const JSON_LOGS = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const LEAST_LEVEL = LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || "TRACE").toUpperCase());
const CALLBACKS_END = 24; // Node.js major version from which Lambda refuses callback handlers

let requestId;

class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function call(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: `/2018-06-01/runtime/${where}`, headers };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function describe(error) {
  if (error instanceof Error || (error && typeof error === "object" && "message" in error && "stack" in error)) {
    return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

async function postError(where, error) {
  const description = describe(error);
  const headers = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": description.errorType,
  };
  await call("POST", where, JSON.stringify(description), headers);
}

function patchConsole() {
  const methods = { trace: "TRACE", debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN", error: "ERROR" };
  for (const [method, level] of Object.entries(methods)) {
    console[method] = (...values) => {
      if (JSON_LOGS && LEVELS.indexOf(level) < LEAST_LEVEL) return;
      const timestamp = new Date().toISOString();
      const line = JSON_LOGS
        ? JSON.stringify({ timestamp, level, requestId, message: values.length === 1 ? values[0] : format(...values) })
        : `${timestamp}\t${requestId}\t${level}\t${format(...values).replace(/\n/g, "\r")}`;
      process.stdout.write(line + "\n");
    };
  }
}

function findModule(root, name) {
  for (const suffix of ["", ".js", ".mjs", ".cjs"]) {
    const file = path.resolve(root, name + suffix);
    if (fs.existsSync(file) && fs.statSync(file).isFile()) return file;
  }
  throw new RuntimeError("Runtime.ImportModuleError", `Error: Cannot find module '${path.basename(name)}'`);
}

async function load(root, handler) {
  const match = /^(.*\/)?([^./]+)\.(.+)$/.exec(handler);
  if (!match || handler.includes("..")) throw new RuntimeError("Runtime.MalformedHandlerName", "Bad handler");
  const file = findModule(root, (match[1] || "") + match[2]);
  const module = await imported(file);
  const holder = match[3].split(".")[0] in module ? module : module.default ?? module;
  const found = match[3].split(".").reduce((value, key) => value?.[key], holder);
  if (found === undefined) {
    throw new RuntimeError("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  if (typeof found !== "function") throw new RuntimeError("Runtime.HandlerNotFound", `${handler} is not a function`);
  if (found.length >= 3 && parseInt(process.versions.node, 10) >= CALLBACKS_END) {
    throw new RuntimeError("Runtime.CallbackHandlerDeprecated", "Callback handlers end with Node.js 24");
  }
  return found;
}

async function imported(file) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError("Runtime.UserCodeSyntaxError", String(error));
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) {
      throw new RuntimeError("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// A callback handler is done when it called back and, unless it said otherwise, nothing is left to wait for.
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    let settle = () => resolve(null);
    const onEmptyLoop = () => settle();
    const finish = (settled) => {
      process.removeListener("beforeExit", onEmptyLoop);
      settled();
    };
    const callback = (error, result) => {
      settle = () => finish(error === undefined || error === null ? () => resolve(result) : () => reject(error));
      if (!context.callbackWaitsForEmptyEventLoop) settle();
    };
    context.done = callback;
    context.succeed = (result) => finish(() => resolve(result));
    context.fail = (error) => finish(() => reject(error ?? "handled"));
    process.on("beforeExit", onEmptyLoop);
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") {
      returned.then((result) => finish(() => resolve(result)), (error) => finish(() => reject(error)));
    }
  });
}

async function serve(handler) {
  for (;;) {
    const next = await call("GET", "invocation/next");
    requestId = next.headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] ?? "";
    try {
      const result = await run(handler, JSON.parse(next.body), contextOf(next.headers));
      const body = serialised(result);
      await call("POST", `invocation/${requestId}/response`, body, { "Content-Type": "application/json" });
    } catch (error) {
      console.error("Invoke Error ", error instanceof Error ? error.stack : error);
      await postError(`invocation/${requestId}/error`, error);
    }
  }
}

function serialised(result) {
  try {
    return JSON.stringify(result === undefined ? null : result);
  } catch (error) {
    throw new RuntimeError("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
  }
}

async function fatal(name, error) {
  const named = error instanceof Error ? error : new Error(String(error));
  if (name) named.name = name;
  console.error(named.stack);
  await postError(requestId ? `invocation/${requestId}/error` : "init/error", named);
  process.exit(129);
}

patchConsole();
process.on("uncaughtException", (error) => fatal("", error));
process.on("unhandledRejection", (reason) => fatal("Runtime.UnhandledPromiseRejection", reason));
try {
  await serve(await load(process.env.LAMBDA_TASK_ROOT, process.argv[2]));
} catch (error) {
  await fatal("", error);
}
