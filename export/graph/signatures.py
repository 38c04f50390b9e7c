"""What a SavedModel's signatures are called, take and give."""

SERVING_DEFAULT, ENCODED = "serving_default", "encoded"

INTERFACE = {
    SERVING_DEFAULT: {
        "inputs": {
            "lr": "uint8 [B, H, W, 3], RGB, the small pictures",
            "ref": "uint8 [B, h, w, 3], RGB, a sharp picture of something similar for each; used "
            "up to the last multiple of 4",
        },
        "outputs": {
            "sr": "uint8 [B, 4·H, 4·W, 3], RGB, the large pictures",
            "confidence": "float32 [B, H, W], in [-1, 1]: how well the reference matches",
        },
    },
    ENCODED: {
        "inputs": {
            "lr_bytes": "strings [B], PNG or JPEG; sizes may differ between entries",
            "ref_bytes": "strings [B], PNG or JPEG; sizes may differ between entries",
        },
        "outputs": {"sr_bytes": "strings [B], PNG"},
    },
}
