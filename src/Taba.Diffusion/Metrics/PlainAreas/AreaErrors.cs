namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>Two tensors over the pixels of one kind, in units of the tensors; NaN where there are no such pixels.</summary>
/// <param name="Values">Channels times pixels, of all rows.</param>
/// <param name="Error">Mean of |prediction - truth|.</param>
/// <param name="PredictionStd">Population deviation of the prediction, over channels, pixels and rows together.</param>
/// <param name="TruthStd">Of the truth.</param>
public readonly record struct AreaErrors(long Values, double Error, double PredictionStd, double TruthStd);
