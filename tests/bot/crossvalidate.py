"""Five-fold cross-validation of the intents, outside Rasa: `bot/.venv/bin/python tests/bot/crossvalidate.py`."""
from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold

BOT = Path(__file__).parents[2] / "bot"
sys.path.insert(0, str(BOT))

from nlu.components.engine import embed_all  # noqa: E402
from nlu.components.judge import Judge, Margins  # noqa: E402
from nlu.sentences import read  # noqa: E402


def main() -> None:
    """Print accuracy, macro-F1, the worst confusions, and how far the confidence can be trusted."""
    texts, intents = map(list, zip(*read(), strict=True))
    labels, vectors = np.array(intents), embed_all(texts)
    guessed = {name: np.empty(len(texts), dtype=object) for name in ("characters", "vectors", "joined")}
    sure = np.zeros(len(texts))
    for learn, test in StratifiedKFold(5, shuffle=True, random_state=7).split(texts, labels):
        judge = Judge.learn([texts[i] for i in learn], vectors[learn], labels[learn])
        judge_of = {"characters": (judge.alone, judge.features([texts[i] for i in test], None)),
                    "joined": (judge.joined, judge.features([texts[i] for i in test], vectors[test])),
                    "vectors": (Margins.learn(sp.csr_matrix(judge._centred(vectors[learn])), labels[learn]),
                                sp.csr_matrix(judge._centred(vectors[test])))}
        for name, (model, features) in judge_of.items():
            shares = model.shares(features)
            guessed[name][test] = model.classes[shares.argmax(axis=1)]
            if name == "joined":
                sure[test] = shares.max(axis=1)
    print(f"{len(texts)} sentences, {len(set(intents))} intents")
    for name, guess in guessed.items():
        print(f"{name:11} accuracy {accuracy_score(labels, guess):.3f}  "
              f"macro-F1 {f1_score(labels, guess, average='macro'):.3f}")
    right = guessed["joined"] == labels
    print("\nworst confusions (meant → understood)")
    wrong = Counter(zip(labels[~right], guessed["joined"][~right], strict=True))
    for (meant, understood), times in wrong.most_common(15):
        print(f"{times:3} {meant} → {understood}")
    print("\nrecall by intent")
    for intent in sorted(set(intents)):
        of = labels == intent
        print(f"{intent:20} {right[of].mean():.3f} of {of.sum()}")
    print("\nconfidence  share of messages  right")
    for low, high in zip((0, .1, .2, .3, .4, .5, .6, .7, .8, .9), (.1, .2, .3, .4, .5, .6, .7, .8, .9, 1.01), strict=True):
        here = (sure >= low) & (sure < high)
        print(f"{low:.1f}–{high:.1f}     {here.mean():17.3f}  {right[here].mean() if here.any() else 0:.3f}")
    if "--wrong" in sys.argv:
        for i in np.flatnonzero(~right):
            print(f"{labels[i]} → {guessed['joined'][i]} {sure[i]:.2f}: {texts[i]}")


if __name__ == "__main__":
    main()
