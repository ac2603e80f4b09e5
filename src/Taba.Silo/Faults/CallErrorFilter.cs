using System.Reflection;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;
using Orleans.Runtime;
using Orleans.Storage;
using Taba.Grains;
using Taba.Grains.Errors;
using Taba.Grains.Placement;

namespace Taba.Silo.Faults;

/// <summary>
/// Makes errors that leave a grain flat (<see cref="CallErrors"/>), so that every process can read them. Those of grains that only their
/// own silo calls stay as they are: there types tell whose fault an error is.
/// </summary>
sealed partial class CallErrorFilter(ILogger<CallErrorFilter> logger) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (!IsCalledByOthers(context.TargetContext.GrainInstance))
        {
            await context.Invoke();
            return;
        }
        try
        {
            await context.Invoke();
        }
        catch (Exception error) when (error is not (OperationCanceledException or CallException or CallRefusedException))
        {
            throw Flat(context, error);
        }
        // An enumeration that fails does not throw: its error is its last element.
        if (context.Result is (EnumerationResult.Error, Exception last)
            && last is not (OperationCanceledException or CallException or CallRefusedException))
            context.Result = (EnumerationResult.Error, (object?)Flat(context, last));
    }

    CallException Flat(IIncomingGrainCallContext context, Exception error)
    {
        // Orleans does the same for the exception that is replaced here. Another activation's never comes as this type.
        if (error is InconsistentStateException)
            context.TargetContext.Deactivate(new(DeactivationReasonCode.ApplicationError, error.Message));
        var flat = CallErrors.Flat(error);
        if (flat.Kind is CallFault.Unexpected)
            LogUnexpected(logger, context.MethodName, context.TargetId, error);
        return flat;
    }

    static bool IsCalledByOthers(object? grain) =>
        grain?.GetType() is { } type && type.Assembly == typeof(CallException).Assembly
        && type.GetCustomAttribute<GrainDirectoryAttribute>()?.GrainDirectoryName != SiloGrainDirectory.Name;

    [LoggerMessage(5004, LogLevel.Error, "A call of {Method} at {Grain} failed with an error that nobody expected")]
    static partial void LogUnexpected(ILogger logger, string method, GrainId grain, Exception exception);
}
