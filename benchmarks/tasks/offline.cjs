// Loaded into Node before promptfoo, which reports over the network that its
// telemetry is switched off. No name but this machine's is looked up.
const dns = require("node:dns");
const lookup = dns.lookup;

dns.lookup = (name, ...rest) => {
  if (["localhost", "127.0.0.1", "::1"].includes(name)) return lookup(name, ...rest);
  const error = Object.assign(new Error(`offline: ${name}`), { code: "ENOTFOUND" });
  process.nextTick(rest.at(-1), error);
};
