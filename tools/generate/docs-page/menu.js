// The only script of the page: it searches the page, and folds the menu on narrow screens. It requests nothing and writes
// no HTML. Its hash is in the policy that the Worker responds with: src/openapi/description.ts.
(() => {
  const byId = (id) => document.getElementById(id);
  const field = byId('search');
  const result = byId('search-result');
  const button = byId('menu-button');
  const nav = byId('menu');
  const items = [...document.querySelectorAll('[data-search]')];
  const sections = [...document.querySelectorAll('main > section')];

  // The text of each item in lower case, read once.
  const texts = items.map((item) => item.textContent.toLowerCase());

  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    items.forEach((item, i) => {
      const fits = words.every((word) => texts[i].includes(word));
      item.hidden = !fits;
      if (fits) found++;
      const link = item.id && nav.querySelector(`a[href="#${item.id}"]`);
      if (link) link.closest('li').hidden = !fits;
    });
    for (const section of sections) {
      const own = [...section.querySelectorAll('[data-search]')];
      section.hidden = words.length > 0 && own.every((item) => item.hidden);
    }
    result.textContent = words.length > 0 ? `${found} found` : '';
  };

  const clear = () => {
    field.value = '';
    search();
  };

  // A link to something that the search hides shows it.
  const reveal = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target?.closest('[hidden]')) {
      clear();
      target.scrollIntoView();
    }
    unfold(false);
  };

  const unfold = (open) => {
    nav.classList.toggle('open', open);
    button.setAttribute('aria-expanded', String(open));
  };

  field.addEventListener('input', search);
  field.addEventListener('focus', () => unfold(true));
  button.addEventListener('click', () => unfold(!nav.classList.contains('open')));
  nav.addEventListener('click', ({ target }) => target.closest('a') && unfold(false));
  addEventListener('hashchange', reveal);
  addEventListener('keydown', (event) => {
    if (event.key === '/' && event.target !== field && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      field.focus();
    } else if (event.key === 'Escape' && event.target === field) {
      clear();
      unfold(false);
    }
  });

  // Without this script there is no search, and the whole menu is shown.
  document.documentElement.classList.add('script');
  // A reloaded page may keep the text of the field.
  search();
})();
