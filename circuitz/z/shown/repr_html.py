"""How a z looks in a notebook: plain HTML, no script, no network, light and dark."""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING

from circuitz.z.finding import Finding
from circuitz.z.shown.latest_check import findings_to_show
from circuitz.z.shown.summary import count_with_noun, unexplained_text, unwaived_findings
from circuitz.z.targets import target_sort_key

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

MAX_ROWS = 12

# Colours follow the page (currentColor), so a dark notebook needs no switch; the one accent has a
# darker and a lighter form, chosen by the notebook's theme where it names one.
_STYLE = """
#{id}{{font:14px/1.5 system-ui,sans-serif;color:inherit;max-width:46rem;padding:.8em 1em;
border:1px solid color-mix(in srgb,currentColor 18%,transparent);border-radius:8px;
--flag:#a8331f;--quiet:color-mix(in srgb,currentColor 62%,transparent)}}
@media (prefers-color-scheme:dark){{#{id}{{--flag:#ff9a85}}}}
[data-jp-theme-light="false"] #{id},.vscode-dark #{id}{{--flag:#ff9a85}}
[data-jp-theme-light="true"] #{id},.vscode-light #{id}{{--flag:#a8331f}}
#{id} h3{{font-size:1.05em;margin:0 0 .1em;font-weight:600}}
#{id} p{{margin:.15em 0}}
#{id} .quiet{{color:var(--quiet)}}
#{id} .flag{{color:var(--flag);font-weight:600}}
#{id} table{{border-collapse:collapse;margin:.6em 0 0;width:100%;background:none;
font:inherit;color:inherit}}
#{id} th{{text-align:left;font-weight:500;color:var(--quiet);font-size:.88em}}
#{id} th,#{id} td{{padding:.18em .8em .18em 0;vertical-align:baseline;text-align:left;
border:0;border-top:1px solid color-mix(in srgb,currentColor 10%,transparent);background:none}}
#{id} tr:first-child th{{border-top:0}}
#{id} code{{font-size:.92em;background:none;color:inherit;padding:0}}
"""


def model_html(z: AnnotatedModel) -> str:
    """Render z: what it is, what stands against it, its first annotations.

    Everything anybody wrote is escaped; text of annotations can never become markup.
    """
    name = f"cz-{secrets.token_hex(4)}"
    parts = [
        f"<style>{_STYLE.format(id=name)}</style>",
        f'<section id="{name}" aria-label="Annotated model {_escape_text(z.name)}">',
        f"<h3>{_escape_text(z.name)}</h3>",
        *_facts_html(z),
        *_findings_html(z),
        *_annotations_html(z),
        "</section>",
    ]
    return "\n".join(parts)


def _escape_text(text: object) -> str:
    return escape(str(text), quote=True)


def _facts_html(z: AnnotatedModel) -> list[str]:
    sizes = {layer.name: layer.size for layer in z.layers}
    kinds = f" of {_escape_text(z.subject)}" if z.subject else ""
    shown = ", ".join(_escape_text(name) for name in z.classes[:8])
    more = f" and {len(z.classes) - 8} more" if len(z.classes) > 8 else ""
    cut = ", ".join(f"<code>{_escape_text(c)}</code> ({sizes[c]})" for c in z.cut) or "not chosen"
    lines = [
        f"<p>{count_with_noun(len(z.classes), 'class', 'classes')}{kinds}: {shown}{more}</p>",
        f"<p>{count_with_noun(len(z.layers), 'layer')}, {count_with_noun(sum(sizes.values()), 'unit')}; "
        f"z is read at its cut {cut}</p>",
        f'<p class="quiet">z <code>{z.hash[:12]}</code>, weights '
        f"<code>{z.weights_hash[:12]}</code>, {count_with_noun(len(z.log), 'edit')}</p>",
    ]
    if not z.builder:
        lines.append(
            '<p class="quiet">Session only: no registered builder, so a saved bundle can be '
            "viewed and annotated but not run.</p>"
        )
    if z.stale:
        lines.append(
            f'<p class="flag">Measurements are stale: {", ".join(z.stale)} changed since.</p>'
        )
    lines += [f'<p class="quiet">{_escape_text(remark)}</p>' for remark in z.remarks]
    return lines


def _findings_html(z: AnnotatedModel) -> list[str]:
    findings = findings_to_show(z)
    if not findings:
        return [f'<p class="quiet">Not checked yet; {unexplained_text(z)}.</p>']
    standing = unwaived_findings(z)
    head = f'<p><span class="{"flag" if standing else "quiet"}">{len(standing)} flagged</span>'
    changed = ", ".join(z.findings_stale)
    since = f'<p class="flag">Findings are stale: {changed} changed since.</p>'
    lines = [since] if changed else []
    claims = count_with_noun(len(findings), "claim")
    lines.append(f"{head} of {claims} tested, {_escape_text(unexplained_text(z))}.</p>")
    worst = sorted(standing, key=lambda finding: -abs(finding.estimate))[:3]
    return lines + [_finding_html(finding) for finding in worst]


def _finding_html(finding: Finding) -> str:
    low, high = finding.ci
    figures = f"{finding.estimate:.2f} [{low:.2f}, {high:.2f}]"
    return f'<p>{_escape_text(finding.sentence)} <span class="quiet">{figures}</span></p>'


def _annotations_html(z: AnnotatedModel) -> list[str]:
    effective = z.effective()
    if not effective:
        return ['<p class="quiet">Nothing is annotated yet.</p>']
    rows = ["<table><tr><th>unit</th><th>annotation</th><th>concepts</th><th>by</th></tr>"]
    for target in sorted(effective, key=target_sort_key)[:MAX_ROWS]:
        entry = effective[target]
        author = _escape_text(entry.author or entry.author_kind)
        if entry.author and entry.author_kind != "person":
            author += f' <span class="quiet">({entry.author_kind})</span>'
        rows.append(
            f"<tr><td><code>{_escape_text(target)}</code></td><td>{_escape_text(entry.text)}</td>"
            f"<td>{_escape_text(', '.join(entry.concepts))}</td><td>{author}</td></tr>"
        )
    rows.append("</table>")
    if len(effective) > MAX_ROWS:
        rest = count_with_noun(len(effective) - MAX_ROWS, "more annotation")
        rows.append(f'<p class="quiet">{rest} in <code>z.annotations</code>.</p>')
    return rows
