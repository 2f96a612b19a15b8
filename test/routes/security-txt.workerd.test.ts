import { describe, expect, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { expectProblem } from '../support/problems.ts';

const LINE = 'GET /.well-known/security.txt';
const withContact = (SECURITY_CONTACT: string) => ({ env: { ...settings(), SECURITY_CONTACT } });

describe(LINE, () => {
  it('names each contact, and expires within a year', async () => {
    const answer = await call(LINE, withContact('mailto:security@example.test, https://example.test/report'));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const [first, second, expires = '', ...rest] = answer.text.split('\n');
    expect([first, second]).toEqual([
      'Contact: mailto:security@example.test',
      'Contact: https://example.test/report',
    ]);
    expect(expires).toMatch(/^Expires: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const days = (Date.parse(expires.replace('Expires: ', '')) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(30);
    expect(days).toBeLessThan(365);
    expect(rest).toEqual(['']);
  });

  it.each(['', 'security@example.test', 'http://example.test', 'javascript:alert(1)', '…'])(
    'with SECURITY_CONTACT "%s" -> 404 security_contact_missing',
    async (contact) => {
      expectProblem(await call(LINE, withContact(contact)), 404, 'security_contact_missing');
    },
  );

  it('writes a line break in a setting to no second line', async () => {
    const { text } = await call(LINE, withContact('mailto:a@example.test\nContact: mailto:b@example.test'));
    expect(text.match(/^Contact: /gm)).toHaveLength(1);
  });
});
