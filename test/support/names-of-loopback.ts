/**
 * With `node --import` this file, names under example.test resolve to this machine. A test can then use a TLS server
 * under a name in its certificate, without a change of /etc/hosts.
 */
import dns from 'node:dns';

const lookup = dns.lookup;
dns.lookup = ((hostname: string, ...rest: [never, never]) =>
  lookup(hostname.endsWith('.example.test') ? '127.0.0.1' : hostname, ...rest)) as typeof dns.lookup;
