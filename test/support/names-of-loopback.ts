/**
 * `node --import` this file, and names under example.test are addresses of this machine: a test then meets a TLS server
 * under a name that its certificate holds, without a change of /etc/hosts.
 */
import dns from 'node:dns';

const lookup = dns.lookup;
dns.lookup = ((hostname: string, ...rest: [never, never]) =>
  lookup(hostname.endsWith('.example.test') ? '127.0.0.1' : hostname, ...rest)) as typeof dns.lookup;
