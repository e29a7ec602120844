"""Networks: U-Net, ResUNet, and a U-Net on an EfficientNet-Lite encoder."""
