/** The provider of the collect bench, in a process of its own: answers at once, and tells its address on the first line. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../src/foundation/hash.ts';
import type { ChatMessage } from '../../src/stage/stage.ts';
import { labelerAnswer } from '../../test/labeler.ts';

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { messages } = JSON.parse(body) as { messages: ChatMessage[] };
  const { text, usage } = labelerAnswer(sha256(messages.at(-1)!.content), messages);
  response.writeHead(200, { 'content-type': 'application/json' });
  const message = { role: 'assistant', content: text };
  response.end(JSON.stringify({ model: 'bench', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`));
