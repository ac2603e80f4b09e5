namespace Taba.Grains.Stages;

/// <summary>A silo cannot serve the model of a stage.</summary>
/// <param name="Silo">Its name.</param>
/// <param name="Reason">Why, in words.</param>
[GenerateSerializer, Immutable, Alias("taba.ModelRefusal")]
public sealed record ModelRefusal(string Silo, string Reason);
