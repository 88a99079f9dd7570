"""Random chats, expressions and statements for golden_templates.py, each made from a seed."""
import json
import random

TEXTS = [
    "Hello", "What is 2+2?", "", "  lead", "trail \n", "Grüße – naïve café", "日本語 🎉", "a\n\nb\n", "<tag> & \"q\" 'x'",
    "line1\r\nline2", "tab\there", "<think>\nhmm\n</think>\n\nanswer", "<think>open", "shut</think>done",
    "{{ x }} {% y %}", "a</think>b</think>c", "/nothink", "ﬁ İ ß ŉ", "\u2028",
]


def text(r):
    return r.choice(TEXTS) if r.random() < 0.85 else " ".join(r.choices(TEXTS, k=3))


def json_value(r, depth=0):
    kind = r.randrange(9 if depth < 2 else 6)
    if kind == 7:
        return [json_value(r, depth + 1) for _ in range(r.randrange(3))]
    if kind == 8:
        return {r.choice(["a", "Zeta", "unit", "x y"]): json_value(r, depth + 1) for _ in range(r.randrange(3))}
    return [text(r), r.choice([0, 1, -5, 10**12]), r.choice([0.5, 1.0, 1e-7, 1e20]), r.random() < 0.5, None,
            text(r), text(r)][kind]


def parts(r):
    known = [{"type": "text", "text": text(r)}, {"type": "image", "image": "u"}, {"type": "text", "text": text(r)}]
    odd = [{"text": text(r)}, {"type": "audio"}, text(r)]
    return [r.choice(known if r.random() < 0.8 else odd) for _ in range(r.randrange(4))]


def tool_calls(r):
    calls = []
    for _ in range(r.choice([1, 1, 2])):
        arguments = {r.choice(["location", "unit", "n"]): json_value(r) for _ in range(r.randrange(3))}
        call = {"name": r.choice(["get_weather", "search"]),
                "arguments": json.dumps(arguments) if r.random() < 0.3 else arguments}
        if r.random() < 0.8:
            call = {"type": "function", "function": call, "id": r.choice(["call_1", "123456789"])}
        calls.append(call)
    return calls


def message(r, role):
    made = {"role": role}
    kind = r.random()
    if kind < 0.95:
        made["content"] = text(r) if kind < 0.8 else parts(r) if kind < 0.88 else None if kind < 0.93 else {"a": 1}
    if role == "assistant":
        if r.random() < 0.35:
            made["tool_calls"] = tool_calls(r)
        elif r.random() < 0.1:
            made["tool_calls"] = r.choice([None, []])
        if r.random() < 0.2:
            made["reasoning_content"] = r.choice([text(r), None])
        if r.random() < 0.1:
            made["thinking"] = text(r)
    if role == "tool":
        made["tool_call_id"] = r.choice(["call_1", "123456789"])
    return made


def messages(r):
    if r.random() < 0.03:
        return []
    if r.random() < 0.2:  # roles in any order
        roles = ["system", "user", "assistant", "tool", "developer", "ipython", "bogus"]
        return [message(r, r.choice(roles)) for _ in range(r.randrange(1, 6))]
    chat = [message(r, "system")] if r.random() < 0.5 else []
    for _ in range(r.randrange(1, 4)):
        chat.append(message(r, "user"))
        if r.random() < 0.8:
            chat.append(message(r, "assistant"))
            for _ in chat[-1].get("tool_calls") or []:
                chat.append(message(r, "tool"))
            if chat[-1]["role"] == "tool" and r.random() < 0.6:
                chat.append(message(r, "assistant"))
    return chat


def schema(r, depth=0):
    kind = r.choice(["string", "integer", "number", "boolean", "array", "object"]) if depth < 2 else "string"
    made = {"type": kind}
    if r.random() < 0.6:
        made["description"] = text(r)
    if r.random() < 0.15:
        made["enum"] = r.sample(["c", "f", 1, None], 2)
    if r.random() < 0.1:
        made["default"] = json_value(r)
    if r.random() < 0.1:
        made["type"] = [kind, "null"]
    if kind == "array":
        made["items"] = schema(r, depth + 1)
    if kind == "object":
        made["properties"] = {name: schema(r, depth + 1) for name in r.sample(["a", "Zeta", "city"], r.randrange(3))}
    return made


def tool(r):
    properties = {name: schema(r) for name in r.sample(["location", "unit", "n"], r.randrange(3))}
    function = {"name": r.choice(["get_weather", "search"]), "description": text(r),
                "parameters": {"type": "object", "properties": properties, "required": list(properties)[:1]}}
    return {"type": "function", "function": function} if r.random() < 0.9 else function


SWITCHES = {
    "enable_thinking": [True, False], "reasoning_effort": ["low", "high"], "date": ["26 Jul 2024"],
    "in_user_turn": [True, False], "custom_tools": [None, []], "safety": ["none", ""],
    "controls": [{"length": "short"}], "documents": [[], [{"title": "T & <b>", "text": "one\ntwo\n"}, {"text": "x"}]],
}


def variables(r):
    made = {"messages": messages(r), "tools": None, "documents": None, "add_generation_prompt": r.random() < 0.5,
            "bos_token": "<s>", "eos_token": "</s>"}
    if r.random() < 0.45:
        made["tools"] = [tool(r) for _ in range(r.randrange(3))]
    for name, values in SWITCHES.items():
        if r.random() < 0.12:
            made[name] = r.choice(values)
    return made


# ---- expressions ----------------------------------------------------------------------------------------------

EXPRESSION_VARIABLES = {
    "s": "Hello World", "t": "  pad\n", "e": "", "u": "Grüße ß ŉ 日本 🎉 Σας", "q": "it's \"q\" <b>&", "n": 5, "z": 0,
    "neg": -3, "f": 2.5, "g": 1e20, "h": -0.0, "b": True, "no": None, "l": [3, 1, 2], "ls": ["b", "A", "c"],
    "m": [1, "a", None, 2.5, True], "ll": [[1, 2], [3]], "el": [], "d": {"a": 1, "B": 2, "c": [1, 2], "items": "key"},
    "ed": {}, "ld": [{"x": 2, "y": "B"}, {"x": 1, "y": "a", "z": {"w": 1}}, {"x": 2}],
    "nest": {"p": {"q": [{"r": "deep"}]}}, "dup": [1, 1.0, True, "1", 2], "lines": "a\n b\r\nc\n\nd",
    "words": "the quick-brown fox, jumps over",
}

METHODS = """s.title() u.upper() u.lower() u.title() u.capitalize() u.swapcase() u.casefold() t.strip() t.lstrip()
t.rstrip() s.strip('Hd') s.split() s.split(' ') s.split('l',1) s.rsplit('l',1) t.split(none,1) t.rsplit(none,1)
lines.splitlines() lines.splitlines(true) s.startswith(('a','H')) s.endswith('d') s.find('o',5) s.rfind('o')
s.find('o',-3,-1) s.index('zz') s.count('l') s.replace('l','L',1) s.replace('','-',2) '-'.join(ls) '-'.join(l)
s.isalpha() u.isalpha() '٣'.isdigit() '²'.isdigit() '½'.isnumeric() e.isspace() u.isprintable() s.zfill(13)
'-5'.zfill(4) s.center(16,'*') s.ljust(13,'.') s.rjust(13) s.removeprefix('He') s.removesuffix('ld')
s.partition(' ') s.rpartition('o') 'a\\tb'.expandtabs(4) '{}-{!r:>6}'.format(1,'a') '{:,.2f}|{:+d}|{:#x}'.format(1234.5,3,255)
'{a[x]}{b.y}'.format(a={'x':1},b={'y':2}) '{:^9}|{:09.3f}'.format('ab',3.14159) '%s %r %05d %.2f%%'%(s,q,n,f)
'%(a)s'%d '%x|%e|%g'%(255,f,g) 'abc'%5 l.index(1) l.index(9) l.count(1) l.append(1) l.pop d.get('zz',7) d.get([1])
d.items() d.keys() d.values()|list d.update({'q':1}) d.pop s.foo no.foo undef.foo u[3] u[-3:]
u[::-1] u[100:] l[5] l['x'] d['a'] d.zz d['zz'] (1,2)[0] s[1:8:2] l[::-1] s['upper']() namespace(a=1).a
namespace(_a=1) dict(a=1,b=2) dict([['k',1]]) range(5,0,-2)|list range(200000) cycler(1,2).next() joiner('|')()""".split()

FILTERS = """upper lower title capitalize trim trim('Hd') length first last list string int int(7) int(base=16) float
abs round round(1) round(1,'floor') round(method='ceil') sum sum(attribute='x') min max min(attribute='x') sort
sort(reverse=true) sort(attribute='x,y') sort(case_sensitive=true) unique|list reverse|list join join(', ')
join('-',attribute='x') map('upper')|list map(attribute='x')|list map(attribute='z.w',default='D')|list
map('nofilter')|list select|list reject|list select('odd')|list selectattr('x','equalto',2)|list
rejectattr('y','defined')|list groupby('x') groupby('y',default='q')|map('first')|list batch(2,'F')|list
slice(2,'F')|list dictsort dictsort(false,'value') dictsort(reverse=true) items|list indent indent(2,true)
indent('>',first=true,blank=true) escape forceescape replace('l','X',1) format(1) tojson tojson(indent=2)
tojson(sort_keys=true) tojson(ensure_ascii=true) tojson(separators=(',',':')) default('D') d('D',true) wordcount
wordwrap(5) wordwrap(10,wrapstring='|') truncate(8) truncate(8,true,'..',0) striptags urlencode xmlattr pprint
center(20) attr('upper') filesizeformat filesizeformat(true) safe nofilter""".split()

TESTS = """defined undefined none string mapping sequence iterable number integer float boolean true false odd even
divisibleby(2) lower upper callable sameas(none) eq(5) ne(1) gt(1) lt(3) ge(2) le(2) in([1,2,5]) in('Hello') escaped
filter test nosuch""".split()

OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]

LITERALS = """1 0 -1 3.5 1e3 0x1F 1_000 'a' '%s' '{}' true false none [] [1,2] ['b','a'] () (1,) {} {'a':1}
{1:2,true:3} '5' ' 7 ' '1e2' 'é' 2**10 2**-1 -7//2 -7%3 7.5//2 'x'*3""".split()


def atom(r):
    return r.choice(list(EXPRESSION_VARIABLES) + ["undef"] if r.random() < 0.65 else LITERALS)


def expression(r, depth):
    if depth <= 0:
        return atom(r)
    inner = lambda: expression(r, depth - 1)
    kind = r.randrange(9)
    if kind == 0:
        return f"({inner()}) {r.choice(OPERATORS)} ({inner()})"
    if kind in (1, 2, 3):
        return f"({inner()})|{r.choice(FILTERS)}"
    if kind == 4:
        return f"({inner()}) is {r.choice(['', 'not '])}{r.choice(TESTS)}"
    if kind == 5:
        return f"({inner()} if {inner()} else {inner()})"
    if kind == 6:
        return f"{atom(r)} < {atom(r)} <= {atom(r)}"
    if kind == 7:
        return f"[{inner()}, {inner()}]"
    return r.choice(METHODS)


# ---- statements -----------------------------------------------------------------------------------------------

STATEMENTS = [
    # white space
    "  {% if true %}\n  a\n  {% endif %}\n  b", "x  {%- if 1 -%}  y  {%- endif -%}  z", "{%+ if 1 %}\n a{% endif +%}\nb\n",
    "a\n{# c #}\nb {#- d -#} e", "{% raw %}{{ x }}{% endraw %}\n{%- raw -%} {% y %} {%- endraw -%} z", "a\r\nb\rc\n\n",
    "{{ 'a\\n' }}  {{- 'b' -}}  c", "{% for i in l %}\n  {{ i }}\n{% endfor %}\n", "{{ 'x' }}  {% if 1 %}y{% endif %}",
    # scopes
    "{% set x = 1 %}{% for i in l %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% if b %}{% set x = 2 %}{% endif %}{{ x }}{% macro m() %}{{ x }}{% endmacro %}{% set x = 3 %}{{ m() }}",
    "{% macro m() %}{{ y }}{% endmacro %}{{ m() }}{% set y = 1 %}{{ m() }}",
    "{% with x = 1, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}", "{% set n = n + 1 %}{{ n }}{% for n in l %}{{ n }}{% endfor %}{{ n }}",
    "{% set x, y = 1, [2] %}{{ y }}{% set x, y = 1 %}", "{% set x %}a{{ n }}{% endset %}{{ x }}{% set y | upper | trim %} b {% endset %}{{ y }}",
    "{% set ns = namespace(a=0, l=[]) %}{% for i in l %}{% set ns.a = ns.a + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.a }}{{ ns.l }}",
    "{% set d.a = 5 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% generation %}{% set s = 1 %}{{ s }}{% endgeneration %}{{ s }}",
    "{% block one %}{{ n }}{% endblock %}{% set n = 9 %}{% block two %}{{ n }}{% endblock two %}",
    # loops
    "{% for i in ls %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
    "{% for i in l|select('odd') %}{{ loop.length }}{{ loop.last }}{{ i }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for i in l if i > 1 %}{{ loop.index }}:{{ i }} {% else %}none{% endfor %}",
    "{% for i in [1,[2,[3]]] recursive %}{{ loop.depth }}{% if i is iterable %}({{ loop(i) }}){% else %}{{ i }}{% endif %}{% endfor %}",
    "{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in l %}{{ i }}{% break %}{% endfor %}",
    "{% for i in l %}{% continue %}{% else %}else{% endfor %}", "{% for i in undef %}{% else %}empty{% endfor %}",
    "{% for i in l %}{% for j in [] %}{% else %}{% continue %}{% endfor %}{{ i }}{% endfor %}",
    "{% for i in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{% endfor %}", "{% for i in 5 %}{% endfor %}",
    "{% for a, b in ll %}{% endfor %}", "{% break %}", "{% for loop in l %}{% endfor %}", "{{ loop }}",
    # macros
    "{% macro m(a, b=2, c=b) %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(1, 2, 3, 4, k=5) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}|{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
    "{% macro m() %}<{{ caller('x') }}>{% endmacro %}{% call(v) m() %}{{ v }}{{ n }}{% endcall %}",
    "{% macro m(a) %}{{ m(a - 1) if a else 'end' }}{{ a }}{% endmacro %}{{ m(3) }}", "{% macro m(a) %}{% endmacro %}{{ m.name }}{{ m.arguments }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% macro m(a, a) %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'x': 2}) }}",
    # errors of syntax, and of names
    "{% if %}", "{{ a", "{% for %}", "{{ 'x }}", "{% endif %}", "{% nosuch %}", "{{ 1 | nosuch }}", "{% if false %}{{ 1 | nosuch }}{% endif %}",
    "{{ x is nosuch }}", "{{ f(a=1, a=2) }}", "{{ (1 }}", "{{ 1 2 }}", "{% set 1 = 2 %}", "{% include 'x' %}", "{% if false %}{% include 'x' %}{% endif %}",
    "{{ raise_exception('no') }}", "{{ 'a' if false }}|{{ ('a' if false) is defined }}", "{{ undef }}{{ undef|length }}{{ undef|list }}", "{{ undef + 1 }}",
    "{{ l.append(4) }}", "{{ 1 // 0 }}", "{{ strftime_now('%Y-%m-%d %H:%M %f %%') }}", "{{ ''.__class__.__mro__ }}", "{{ {}.update }}",
    "{{ '<' | e + '>' }}{{ ('<' | safe) + '>' }}{{ '%s' | safe % '<' }}{{ ('<' | e) ~ '>' }}{{ ('<' | e).join(['<', '>']) }}",
    "{{ \"\\u00e9\\x41\\n\\q\" }}{{ 'a' 'b' }}{{ 1.5e3 }}{{ 0b11 }}{{ 1_0 }}{{ 007 }}", "{{ 1 is sameas 1.0 }}{{ 1 is divisibleby 1 and true }}",
    "{{ not 1 in [2] }}{{ 2 in [1] or 3 }}{{ -1 ** 2 }}{{ 2 ** 3 ** 2 }}{{ 1 ~ 2 + 3 }}{{ 1 < 2 < 3 != 4 }}",
    # formats
    "{{ '{:05}|{:<05}|{:<6}'.format('ab', 7, 'é') }}{{ '{:05}|{:+06.1f}|{: }'.format(true, 2.25, 3) }}",
    "{{ '{:_x} {:_b} {:_} {:,.1f} {:012,}'.format(70000, 300, 1e6, 12345.67, 1234.5) }}", "{{ '{:,x}'.format(5) }}",
    "{{ '{:_n}'.format(5) }}", "{{ '{:+c}'.format(65) }}", "{{ '{:#c}'.format(65) }}", "{{ '{:,}'.format('a') }}",
    "{{ '{:.3} {:.3} {:.3} {:.1} {:.3}'.format(123.0, 10.0, 99.96, 0.0, 1e20) }}", "{{ '{:=5}'.format('a') }}",
    "{{ '{:#.3} {:#.1} {:#.0f} {:#g} {:#.0%}'.format(2.0, 5.0, 1.0, 1.0, 0.5) }}{{ '%#g %#.0f %#x' % (1.0, 2.0, 255) }}",
    "{{ '{:z.0f} {:+z.0f} {:z}'.format(-0.3, -0.3, -1.5) }}", "{{ '{:z}'.format(1) }}", "{{ '{:z}'.format('a') }}",
    "{{ '%5%' % 1 }}", "{{ '%(a)%' % d }}", "{{ '%%' % () }}{{ '%a' % u }}{{ '{!a}'.format(u) }}{{ '%.4a' % u }}",
    "{{ g.is_integer() }}{{ f.is_integer() }}{{ 1e300.is_integer() }}",
    # blocks whose filter or call gives no text
    "{% filter list %}ab{% endfilter %}", "{% filter length %}ab{% endfilter %}", "{% call dict(a=1) %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}{% filter e %}<{% endfilter %}", "{{ l|sort('yes') }}", "{{ l|sort(1) }}",
    "{{ d|dictsort(reverse='yes') }}", "{{ lines.splitlines('yes') }}", "{{ lines.splitlines(1) }}",
]
