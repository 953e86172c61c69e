// Call a server with a TypeScript SDK: node typescript.mjs PACKAGES SDK MODE ID (URL | COMMAND [ARGUMENT ...])
// SDK is `sdk` (1.x) or `client` (2.x), MODE what 2.x negotiates. Prints one JSON object: what the client was told.
import { createRequire } from "node:module";

const [packages, sdk, mode, id, target, ...rest] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const load = (path) => require(`@modelcontextprotocol/${path}`);
const inside = (path) => (sdk === "sdk" ? load(`sdk/client/${path}.js`) : load(path === "stdio" ? "client/stdio" : "client"));
const { Client } = inside("index");
const { StdioClientTransport } = inside("stdio");
const { StreamableHTTPClientTransport } = inside("streamableHttp");

const transport = target.startsWith("http:")
  ? new StreamableHTTPClientTransport(new URL(target))
  : new StdioClientTransport({ command: target, args: rest, env: process.env });
const client = new Client({ name: `typescript ${sdk}`, version: "1" }, { versionNegotiation: { mode } });
await client.connect(transport);
const call = (name, args) => client.callTool({ name, arguments: args, _meta: { correlation_id: id } });
const answers = {
  server: client.getServerVersion(),
  tools: (await client.listTools()).tools.map((tool) => tool.name),
  echo: await call("echo", { text: "zwölf {braces} \u{1F600}" }),
  failure: await call("temperature", { city: "Atlantis" }),
};
await client.close();
process.stdout.write(JSON.stringify(answers));
