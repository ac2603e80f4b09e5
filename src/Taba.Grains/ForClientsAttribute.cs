namespace Taba.Grains;

/// <summary>
/// A method of a grain that programs outside the cluster may call, through a gateway. All others are between silos: who could call them
/// could publish rows that nobody computed.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ForClientsAttribute : Attribute;
