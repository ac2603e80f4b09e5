namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>Networks whose weights a user names.</summary>
public enum FeatureNetwork
{
    /// <summary>Inception 2015-12-05: FID, KID, the Inception Score. A file.</summary>
    Inception,

    /// <summary>VGG16 of torchvision: precision and recall. A file.</summary>
    Vgg,

    /// <summary>AlexNet of torchvision: LPIPS. A file.</summary>
    AlexNet,

    /// <summary>LPIPS' weights of channels, version 0.1. A file.</summary>
    Lpips,

    /// <summary>DINO ViT-S/16, or another ViT of transformers. A folder.</summary>
    Dino,

    /// <summary>CLIP ViT-B/32, or another CLIP of transformers, with its tokenizer. A folder.</summary>
    Clip,

    /// <summary>DreamSim's ensemble. The folder that its package fills.</summary>
    DreamSim,
}
