"""Phrases that Whisper models are known to write over silence and noise, in spoken form.

They come from captions and credits in its training data. A text is dropped only when all of it is
one of these and the engine was unsure, so that a person who says them is heard.
"""

from __future__ import annotations

KNOWN_HALLUCINATIONS = frozenset(
    {
        "you",
        "bye",
        "bye bye",
        "thank you",
        "thank you very much",
        "thank you for watching",
        "thank you so much for watching",
        "thanks for watching",
        "thanks for watching everyone",
        "thanks for listening",
        "please subscribe",
        "please subscribe to my channel",
        "please like and subscribe",
        "like and subscribe",
        "dont forget to subscribe",
        "don t forget to subscribe",
        "see you next time",
        "see you in the next video",
        "i ll see you in the next video",
        "subtitles by the amara org community",
        "transcription by castingwords",
        "captions by the community",
        "the end",
        "music",
        "applause",
        "silence",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf für funk 2017",
        "vielen dank",
        "vielen dank fürs zuschauen",
        "sous titres réalisés par la communauté d amara org",
        "merci d avoir regardé cette vidéo",
        "subtítulos realizados por la comunidad de amara org",
        "gracias por ver el video",
        "sottotitoli creati dalla comunità amara org",
        "legendas pela comunidade amara org",
        "ondertiteld door de amara org gemeenschap",
        "napisy stworzone przez społeczność amara org",
        "продолжение следует",
        "спасибо за просмотр",
        "ご視聴ありがとうございました",
        "谢谢观看",
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "시청해주셔서 감사합니다",
    }
)
