/** `GET /.well-known/security.txt`: where to report a vulnerability of this deployment (RFC 9116). */
import type { Handler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';

export const SECURITY_TXT = '/.well-known/security.txt';

/** RFC 9116, section 2.5.5, recommends less than a year. The file is made for each request, so it never expires. */
const VALID_FOR_MS = 180 * 24 * 60 * 60 * 1000;

export const serveSecurityTxt: Handler<AppEnv> = (c) => {
  const { securityContacts } = c.get('runtime').settings;
  if (securityContacts.length === 0) throw new Problem('security_contact_missing');
  const expires = new Date(Math.floor(Date.now() / 1000) * 1000 + VALID_FOR_MS);
  const lines = [
    ...securityContacts.map((contact) => `Contact: ${contact}`),
    `Expires: ${expires.toISOString().replace('.000Z', 'Z')}`,
  ];
  return c.text(`${lines.join('\n')}\n`, 200);
};
