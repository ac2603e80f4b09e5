namespace Taba.Diffusion.Weights;

/// <summary>Fills a buffer with the bytes of a file from an offset on, or throws.</summary>
public delegate void ReadAt(long offset, Span<byte> destination);
