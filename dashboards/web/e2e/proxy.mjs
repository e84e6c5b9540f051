// A wire that can be cut: the browser talks to the server through it, so that "the connection dropped" is the
// same thing in every test.

import { connect, createServer } from 'node:net';

export async function openWire(target) {
  let { hostname, port } = new URL(target);
  const sockets = new Set();
  let cut = false;
  let mute = false;
  const server = createServer((client) => {
    if (cut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      // The server has heard the request and done what it asks; nobody hears the answer.
      if (mute) client.destroy();
      else if (!client.write(bytes)) upstream.pause();
    });
    client.on('drain', () => upstream.resume());
    upstream.on('end', () => client.end());
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** Ends every connection and refuses new ones until mended. */
    cut() {
      cut = true;
      for (const socket of sockets) socket.destroy();
    },
    /** Lets requests through and loses every answer until mended. */
    mute() {
      [cut, mute] = [false, true];
    },
    mend() {
      [cut, mute] = [false, false];
    },
    /** Leads to another server from the next connection on. */
    turn(target) {
      ({ hostname, port } = new URL(target));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
